using System.Collections.Concurrent;
using ZeroStor.Client;
using ZeroStor.S3.Errors;

namespace ZeroStor.S3.Operations;

/// <summary>Reads what is kept of buckets, and remembers it for some seconds: every request without a key
/// asks for it, and every one from a page. Thread-safe.</summary>
internal sealed class BucketSettingsStore(ZeroStorClient client, TimeProvider time)
{
    /// <summary>Under which name the fabric keeps it.</summary>
    private const string Name = "s3";

    /// <summary>A bucket that is made private again is so everywhere after this.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(5);

    /// <summary>Buckets remembered, those that are not there among them.</summary>
    private const int MaxKnown = 4096;

    /// <summary>Two that change a bucket at once are rare, and ten rarer.</summary>
    private const int MaxTries = 10;

    private readonly ConcurrentDictionary<string, (BucketSettings? Settings, long ReadAt)> _known = new();

    /// <summary>As it was some seconds ago at most; null: there is no such bucket.</summary>
    public async ValueTask<BucketSettings?> FindAsync(string bucket, CancellationToken cancel)
    {
        if (_known.TryGetValue(bucket, out (BucketSettings? Settings, long ReadAt) known)
            && time.GetElapsedTime(known.ReadAt) < MaxAge)
        {
            return known.Settings;
        }

        BucketSettings? settings = null;
        long now = time.GetTimestamp();
        try
        {
            settings = await ReadAsync(bucket, cancel);
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound)
        {
            // That it is not there is remembered as well.
        }

        if (_known.Count >= MaxKnown)
        {
            _known.Clear();
        }

        _known[bucket] = (settings, now);
        return settings;
    }

    /// <summary>As it is.</summary>
    /// <exception cref="ZeroStorException">NotFound: the bucket.</exception>
    public async Task<BucketSettings> ReadAsync(string bucket, CancellationToken cancel) =>
        DecodeOrNone(await client.Vault(bucket).ReadSettingsAsync(Name, cancel));

    /// <exception cref="S3Exception">OperationAborted: others changed it all the time.</exception>
    /// <exception cref="ZeroStorException">NotFound: the bucket; InvalidArgument: there is too much of
    /// it.</exception>
    public async Task ChangeAsync(
        string bucket, Func<BucketSettings, BucketSettings> change, CancellationToken cancel)
    {
        Vault vault = client.Vault(bucket);
        for (int tries = 0; tries < MaxTries; tries++)
        {
            VaultSettings? was = await vault.ReadSettingsAsync(Name, cancel);
            BucketSettings changed = change(DecodeOrNone(was));
            try
            {
                await vault.WriteSettingsAsync(Name, was?.ETag, changed.Encode(), cancel);
                Forget(bucket);
                return;
            }
            catch (ZeroStorException failure) when (failure.Kind == ErrorKind.PreconditionFailed)
            {
                // Somebody else was quicker: his change and this one shall both stand.
            }
        }

        throw new S3Exception(S3Error.OperationAborted);
    }

    public void Forget(string bucket) => _known.TryRemove(bucket, out _);

    private static BucketSettings DecodeOrNone(VaultSettings? settings) =>
        settings is null ? BucketSettings.None : BucketSettings.Decode(settings.Bytes);
}
