using System.Collections.Concurrent;
using System.Collections.Frozen;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.S3.Signing;

namespace ZeroStor.S3.Hosting;

/// <summary>Looks access keys up in the fabric, and remembers what it said for some seconds: every request
/// needs one. While the fabric does not say, what it said last holds for a little longer, but never so long
/// that a revoked key outlives its minute. Thread-safe.</summary>
internal sealed class FabricAccessKeys(ZeroStorClient client, TimeProvider time) : IAccessKeys
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan MaxStaleAge = TimeSpan.FromSeconds(45);

    /// <summary>The fabric has a tenth of them; the others are ids that no key has.</summary>
    private const int MaxKnown = 10_000;

    /// <summary>Longer than any id that the fabric gives.</summary>
    private const int MaxIdLength = 128;

    private readonly ConcurrentDictionary<string, (AccessKey? Key, long ReadAt)> _known = new();

    public async ValueTask<AccessKey?> FindAsync(string accessKey, CancellationToken cancel)
    {
        if (accessKey.Length is 0 or > MaxIdLength || !accessKey.All(char.IsAsciiLetterOrDigit))
        {
            return null;
        }

        bool isKnown = _known.TryGetValue(accessKey, out (AccessKey? Key, long ReadAt) known);
        if (isKnown && time.GetElapsedTime(known.ReadAt) < MaxAge)
        {
            return known.Key;
        }

        long now = time.GetTimestamp();
        try
        {
            AccessKeyGrant? found = await client.AccessKeys.FindAsync(accessKey, cancel);
            if (_known.Count >= MaxKnown)
            {
                _known.Clear();
            }

            AccessKey? key = found is null ? null : KeyOf(found);
            _known[accessKey] = (key, now);
            return key;
        }
        catch (ZeroStorException failure)
            when (failure.IsTransient && isKnown && time.GetElapsedTime(known.ReadAt) < MaxStaleAge)
        {
            return known.Key;
        }
    }

    // The rights have the same numbers on both sides.
    private static AccessKey KeyOf(AccessKeyGrant grant) => new(
        grant.Key.Id,
        grant.Secret,
        (AccessRights)grant.Key.Rights,
        grant.Key.Vaults.IsEmpty ? null : grant.Key.Vaults.ToFrozenSet(StringComparer.Ordinal));
}
