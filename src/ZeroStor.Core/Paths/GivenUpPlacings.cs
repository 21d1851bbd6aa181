namespace ZeroStor.Paths;

/// <summary>Drops what homes took of placings that a stripe gave up: no manifest names them, so they would lie there
/// until a census, and count as lacking shards until then. In the background, a few seconds at most, without promise:
/// a home that does not answer, or answers late, leaves it to the census. Thread-safe.</summary>
internal sealed class GivenUpPlacings(IShardHome homes, IFabricMap map, TimeProvider time)
{
    /// <summary>Long enough for a busy disk, short enough that few are under way.</summary>
    private static readonly TimeSpan HomeTime = TimeSpan.FromSeconds(10);

    /// <summary>The map changes as long as homes are being lost, and a home obeys no order by an older one than it
    /// knows.</summary>
    private const int MaxTries = 3;

    private readonly Lock _lock = new();
    private Task _dropping = Task.CompletedTask;

    /// <summary>Ends when nothing is being dropped.</summary>
    public Task Dropping
    {
        get
        {
            lock (_lock)
            {
                return _dropping;
            }
        }
    }

    /// <param name="stripe">The name of the placing.</param>
    /// <param name="holders">Who took a shard of it, or may have.</param>
    public void Drop(StripeId stripe, IEnumerable<(DiskId Disk, int Place)> holders)
    {
        Task[] drops = [.. holders.Select(h => DropAsync(h.Disk, new ShardName(stripe, (byte)h.Place)))];
        lock (_lock)
        {
            _dropping = Task.WhenAll([_dropping, .. drops]);
        }
    }

    private async Task DropAsync(DiskId disk, ShardName shard)
    {
        using var patience = new CancellationTokenSource(HomeTime, time);
        try
        {
            FabricMap current = map.Current;
            for (int tries = 1; tries <= MaxTries && current.Disk(disk) is { } entry; tries++)
            {
                var order = new ShardDrop
                {
                    To = new DiskAddress(disk, entry.Claim), MapVersion = current.Version, Shards = [shard],
                };
                HomeAnswer answer =
                    await homes.DropAsync(order, patience.Token).AsTask().WaitAsync(patience.Token);
                if (answer.Kind != ErrorKind.PreconditionFailed)
                {
                    return;
                }

                current = await map.RefreshAsync(answer.MapVersion, patience.Token);
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // The census sees to it.
        }
    }
}
