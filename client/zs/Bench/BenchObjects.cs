using System.Security.Cryptography;
using ZeroStor.Client;

namespace ZeroStor.CommandLine.Bench;

/// <summary>The objects that a run puts, all below one prefix of its own; what it put is removed by that
/// prefix, so that nothing stays of a put whose answer was lost either. Thread-safe.</summary>
internal sealed class BenchObjects(Vault vault)
{
    /// <summary>Below it each run has a prefix: <c>zs rm VAULT/zs-bench -r</c> removes what a killed one
    /// left. </summary>
    public const string Folder = "zs-bench";

    private const int RemovesAtOnce = 16;

    // Also after Ctrl-C: so many objects may have to go, one commit each. A second one ends it at once.
    private static readonly TimeSpan RemovePatience = TimeSpan.FromMinutes(2);

    private readonly string _prefix = $"{Folder}/{RandomNumberGenerator.GetHexString(8, lowercase: true)}/";
    private readonly BenchContent _content = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<long, List<string>> _keys = [];
    private long _begun;
    private long _got;

    /// <summary>Objects of this size that were put.</summary>
    public int Count(long sizeBytes)
    {
        lock (_lock)
        {
            return _keys.TryGetValue(sizeBytes, out List<string>? keys) ? keys.Count : 0;
        }
    }

    public async Task PutAsync(long sizeBytes, CancellationToken cancel)
    {
        string key = $"{_prefix}{sizeBytes}/{Interlocked.Increment(ref _begun):d9}";
        await using Stream content = _content.Open(sizeBytes);
        await vault.PutAsync(key, content, cancel: cancel);
        lock (_lock)
        {
            if (!_keys.TryGetValue(sizeBytes, out List<string>? keys))
            {
                _keys[sizeBytes] = keys = [];
            }

            keys.Add(key);
        }
    }

    /// <summary>Gets one of the first <paramref name="among"/> objects of this size, each in its turn, and
    /// keeps nothing of it.</summary>
    public async Task GetAsync(long sizeBytes, int among, int absentHomes, CancellationToken cancel)
    {
        string key;
        lock (_lock)
        {
            List<string> keys = _keys[sizeBytes];
            key = keys[(int)(_got++ % Math.Min(among, keys.Count))];
        }

        await using ObjectStream content = await vault.OpenReadAsync(
            key, new ReadOptions { AbsentHomes = absentHomes }, cancel);
        await content.CopyToAsync(Stream.Null, cancel);
        if (content.Position != sizeBytes)
        {
            throw ZeroStorException.Corrupt(
                $"'{vault.Name}/{key}' has {sizeBytes} bytes, and {content.Position} were got.");
        }
    }

    /// <summary>Removes all that was put. Never throws: what stays is told, with what removes it.</summary>
    public async Task RemoveAsync(Output output)
    {
        using var patience = new CancellationTokenSource(RemovePatience);
        long removed = 0;
        try
        {
            using (output.Progress("removing what was put", null, () => Interlocked.Read(ref removed)))
            {
                await Parallel.ForEachAsync(
                    vault.ListAsync(new ListOptions { Prefix = _prefix }, patience.Token),
                    new ParallelOptions
                    {
                        MaxDegreeOfParallelism = RemovesAtOnce, CancellationToken = patience.Token,
                    },
                    async (entry, cancel) =>
                    {
                        await vault.DeleteAsync(entry.Key, cancel: cancel);
                        Interlocked.Add(ref removed, entry.Size);
                    });
            }
        }
        catch (Exception failure) when (failure is ZeroStorException or OperationCanceledException)
        {
            Failure told = Failure.Of(failure, isInterrupted: false);
            output.Error(
                told with
                {
                    Message = $"Not all that was put could be removed ({told.Message.TrimEnd('.')}): "
                        + $"zs rm {vault.Name}/{Folder} -r removes it.",
                },
                failure);
        }
    }
}
