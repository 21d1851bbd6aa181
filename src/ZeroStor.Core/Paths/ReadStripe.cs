using ZeroStor.Sealing;

namespace ZeroStor.Paths;

/// <summary>A range of a stripe's content to be read.</summary>
public sealed record StripeToRead
{
    public required VaultId Vault { get; init; }

    public required ContentId Content { get; init; }

    /// <summary>What opens it; null: its owner does, and it is read sealed.</summary>
    public ContentKey? Key { get; init; }

    public required Code Code { get; init; }

    public required int Ordinal { get; init; }

    public required StripeRef Stripe { get; init; }

    public required int Offset { get; init; }

    public required int Length { get; init; }

    /// <summary>So many of the homes that the range touches, the first ones, are taken for absent: what a
    /// read costs while they are is measured so, and nobody is harmed.</summary>
    public int AbsentHomes { get; init; }
}

/// <summary>What a read learned on its way; kept by the silo for repair and for its counters.</summary>
public interface IReadObserver
{
    /// <summary>Shards had to be rebuilt to answer.</summary>
    void Decoded(StripeRef stripe);

    /// <summary>This shard is not where it should be, or is not what it should be.</summary>
    void Found(StripeRef stripe, int place, DiskId disk, ErrorKind what);
}

/// <summary>The way of a stripe out. Only the data shards that the range touches are asked, and of them only
/// the bytes that it needs. A home that is slow, absent or wrong is replaced by any other shards; the first k
/// good ones win. Every segment is verified by its seal, so wrong bytes never leave; when one does not
/// verify, the stripe is read again whole, and each shard is held against the shard sums, so that up to m
/// homes may lie. Thread-safe.
/// </summary>
public sealed class ReadStripe(
    IShardHome homes, IFabricMap map, HomeHealth health, TimeProvider time, IReadObserver observer)
{
    /// <summary>A home that has not answered within the 95th percentile of its peers, but at least this, is
    /// hedged: asking others sooner costs more than it gains.</summary>
    public TimeSpan MinHedge { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>A home gets at most this to answer a read; the stripe fails when too few did.</summary>
    public TimeSpan HomeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    internal PlantedDefects Planted { get; init; }

    /// <summary>The content's bytes, every one verified; the caller releases them.</summary>
    /// <exception cref="ZeroStorException">TooFewShards; Corrupt: enough shards, but they do not make what
    /// was sealed.</exception>
    public async Task<BufferSlice> RunAsync(StripeToRead read, CancellationToken cancel)
    {
        long started = health.Gets.Start();
        await KnowGroupAsync(read, cancel);
        BufferSlice content = await ReadAsync(read, cancel);
        health.Gets.Stop(started);
        return content;
    }

    /// <summary>Sealed bytes as they are, for who opens them himself; the caller releases them.</summary>
    /// <param name="read">What: its range is of the stripe's sealed bytes.</param>
    /// <param name="isVerified">Whether what came before did not open: then all shards are read, and each is held against
    /// the shard sums.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="ZeroStorException">TooFewShards.</exception>
    public async Task<BufferSlice> RunSealedAsync(StripeToRead read, bool isVerified, CancellationToken cancel)
    {
        long started = health.Gets.Start();
        await KnowGroupAsync(read, cancel);
        using ShardGather gather = isVerified
            ? Gather(read, 0, read.Stripe.SealedBytes)
            : Gather(read, read.Offset, read.Length, read.AbsentHomes);
        ShardColumns found = isVerified
            ? await gather.RunVerifiedAsync(cancel)
            : await gather.RunAsync(cancel);
        health.Gets.Stop(started);
        return found.Join(read.Offset, read.Length);
    }

    // Another silo may have made the group a moment ago.
    private async ValueTask KnowGroupAsync(StripeToRead read, CancellationToken cancel)
    {
        if (map.Current.Group(read.Stripe.Group) is null)
        {
            await map.RefreshAsync(map.Current.Version + 1, cancel);
        }
    }

    private async Task<BufferSlice> ReadAsync(StripeToRead read, CancellationToken cancel)
    {
        using var opener = new StripeOpener(read.Key!, read.Stripe, read.Ordinal);
        try
        {
            return await ReadSegmentsAsync(read, opener, cancel);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt)
        {
            return await ReadVerifiedAsync(read, opener, cancel);
        }
    }

    private async Task<BufferSlice> ReadSegmentsAsync(
        StripeToRead read, StripeOpener opener, CancellationToken cancel)
    {
        (int start, int bytes) = (0, read.Stripe.SealedBytes);
        if (read.Length < read.Stripe.ContentBytes)
        {
            if (!opener.KnowsSegments)
            {
                using ShardGather first = Gather(read, 0, opener.IndexBytes, read.AbsentHomes);
                opener.ReadIndex((await first.RunAsync(cancel)).Parts(0, opener.IndexBytes));
            }

            SegmentRun run = opener.RunOf(read.Offset, read.Length);
            (start, bytes) = (run.SealedStart, run.SealedLength);
        }

        using ShardGather gather = Gather(read, start, bytes, read.AbsentHomes);
        return Open(read, opener, await gather.RunAsync(cancel));
    }

    // Somebody lies, or what a home holds is rotten: read all, believe the sums.
    private async Task<BufferSlice> ReadVerifiedAsync(
        StripeToRead read, StripeOpener opener, CancellationToken cancel)
    {
        using ShardGather gather = Gather(read, 0, read.Stripe.SealedBytes);
        ShardColumns found = await gather.RunVerifiedAsync(cancel);
        try
        {
            return Open(read, opener, found);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Corrupt)
        {
            throw ZeroStorException.Corrupt(
                $"stripe {read.Stripe.Id} of content {read.Content} does not open though its shards match "
                + "their sums: the key ring is not the one it was sealed under", e);
        }
    }

    private ShardGather Gather(StripeToRead read, int sealedOffset, int sealedBytes, int absentHomes = 0) =>
        new(homes, map, health, time, observer, read.Code, read.Stripe, sealedOffset, sealedBytes)
        {
            AbsentHomes = absentHomes,
            MinHedge = MinHedge,
            HomeTimeout = HomeTimeout,
            Planted = Planted,
        };

    /// <summary>Opens what is to be read, straight from where its shards came to. The caller releases it.</summary>
    /// <exception cref="ZeroStorException">Corrupt: something does not verify.</exception>
    internal static BufferSlice Open(StripeToRead read, StripeOpener opener, ShardColumns found)
    {
        if (!opener.KnowsSegments)
        {
            opener.ReadIndex(found.Parts(0, opener.IndexBytes));
        }

        SegmentRun run = opener.RunOf(read.Offset, read.Length);
        SharedBuffer opened = BufferPool.Shared.Rent(run.ContentLength);
        try
        {
            opener.Open(
                run, found.Parts(run.SealedStart, run.SealedLength), opened.Span[..run.ContentLength]);
            return opened.Slice(read.Offset - run.ContentStart, read.Length);
        }
        catch
        {
            opened.Release();
            throw;
        }
    }
}
