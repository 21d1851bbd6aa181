namespace ZeroStor.Volumes;

/// <summary>A stretch of a volume that was read at once.</summary>
/// <param name="Shards">Whose records lie in it, and are wanted.</param>
/// <param name="Generation">Of the volume.</param>
/// <param name="Start">Where it begins.</param>
/// <param name="Buffer">Its bytes; released by who checks them.</param>
/// <param name="ReadBytes">How many the file had; null where the device did not give them.</param>
internal sealed record ScrubWindow(
    List<HeldShard> Shards, UInt128 Generation, long Start, BufferSlice Buffer, int? ReadBytes)
{
    internal static ScrubWindow Empty { get; } = new([], 0, 0, default, 0);
}

/// <summary>Reads stretches of a volume in which shards lie, each at once and past the page cache, and checks
/// every record of a shard in it to its last byte. What is damaged is marked as a read would mark it. Where
/// the device does not give a stretch, its records are read one by one, so that a bad block costs nobody but
/// whom it belongs to. Takes its turn among the disk's reads.
/// Thread-safe.</summary>
internal sealed class ScrubReader(
    DiskContents contents, DiskHealth health, DiskReader reader, BufferPool pool)
{
    // Dead records and padding of less than this are read through: another trip costs more.
    private const int ReadThroughBytes = 64 * 1024;

    /// <summary>The shards, from the first one on, that are read at once: as many as lie close enough
    /// together within so many bytes of whole blocks, and one at least.</summary>
    /// <param name="shards">Of one volume, in the order of positions.</param>
    internal static List<HeldShard> Window(List<HeldShard> shards, int first, int maxBytes)
    {
        int count = 1;
        while (first + count < shards.Count)
        {
            HeldShard next = shards[first + count];
            long gapBytes = next.Position.Offset - EndOf(shards[first + count - 1]);
            if (gapBytes >= ReadThroughBytes || BlockEnd(next) - BlockStart(shards[first]) > maxBytes)
            {
                break;
            }

            count++;
        }

        return shards.GetRange(first, count);
    }

    /// <summary>What reading a window takes of the device.</summary>
    internal static int WindowBytes(List<HeldShard> window) =>
        checked((int)(BlockEnd(window[^1]) - BlockStart(window[0])));

    /// <summary>Reads a window. Shards that were dropped, moved or found damaged since they were seen there
    /// are passed over, and so is a volume that is gone. Blocks the caller's thread, which must be the thread
    /// pool's. <see cref="CheckAsync"/> takes the answer, always.</summary>
    /// <exception cref="ZeroStorException">DiskOffline.</exception>
    internal ValueTask<ScrubWindow> FetchAsync(List<HeldShard> window, CancellationToken cancel) =>
        reader.InTurnHereAsync(() => Fetch(window), cancel);

    /// <summary>Checks what was read, and lets go of it.</summary>
    /// <returns>What was read, and which of it was damaged.</returns>
    /// <exception cref="ZeroStorException">DiskOffline.</exception>
    internal async Task<(ScrubTally Tally, List<HeldShard> Bad)> CheckAsync(
        ScrubWindow window, CancellationToken cancel)
    {
        List<HeldShard> unsure = [];
        List<HeldShard> bad = [];
        ScrubTally tally = await Task.Run(() => Check(window, bad, unsure), CancellationToken.None);
        foreach (HeldShard shard in unsure)
        {
            HomeAnswer answer = await reader.VerifyAsync(shard, cancel);
            switch (answer.Kind)
            {
                case ErrorKind.None:
                    tally = tally.With(shard, isBad: false);
                    break;
                case ErrorKind.Corrupt:
                    tally = tally.With(shard, isBad: true);
                    bad.Add(shard);
                    break;
                case ErrorKind.NotFound:
                    break;
                default:
                    throw new ZeroStorException(answer.Kind, answer.Detail);
            }
        }

        return (tally, bad);
    }

    private ScrubWindow Fetch(List<HeldShard> window)
    {
        if (health.RefusesAll is { } refusal)
        {
            throw new ZeroStorException(refusal.Kind, refusal.Detail);
        }

        if (!contents.TryPinVolume(window[0].Position.Volume, out Volume volume))
        {
            return ScrubWindow.Empty;
        }

        try
        {
            contents.KeepGood(window);
            return window.Count == 0 ? ScrubWindow.Empty : Fetch(volume, window);
        }
        finally
        {
            volume.Unpin();
        }
    }

    private ScrubWindow Fetch(Volume volume, List<HeldShard> window)
    {
        long start = BlockStart(window[0]);
        BufferSlice buffer = pool.RentSlice(WindowBytes(window));
        try
        {
            int read = volume.File.ReadUncached(buffer.Span, start);
            return new ScrubWindow(window, volume.Generation, start, buffer, read);
        }
        catch (OsException)
        {
            return new ScrubWindow(window, volume.Generation, start, buffer, null);
        }
    }

    private ScrubTally Check(ScrubWindow window, List<HeldShard> bad, List<HeldShard> unsure)
    {
        ScrubTally tally = ScrubTally.Zero;
        try
        {
            foreach (HeldShard shard in window.Shards)
            {
                if (window.ReadBytes is not { } readBytes
                    || IsGood(window, shard, window.Buffer.Span[..readBytes]) is not { } isGood)
                {
                    unsure.Add(shard);
                    continue;
                }

                tally = tally.With(shard, !isGood);
                if (!isGood)
                {
                    contents.MarkBad(shard);
                    bad.Add(shard);
                }
            }

            return tally;
        }
        finally
        {
            window.Buffer.Release();
        }
    }

    // Null where header and index are each whole and do not agree on its length: a read of the record alone
    // knows.
    private static bool? IsGood(ScrubWindow window, in HeldShard shard, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> rest = bytes[(int)Math.Min(shard.Position.Offset - window.Start, bytes.Length)..];
        ReadOnlySpan<byte> record = rest[..Math.Min(shard.RecordBytes, rest.Length)];
        bool isHeaderGood = RecordFormat.TryRead(
                record, window.Generation, shard.Position, out RecordHeader header)
            && header.Kind == RecordKind.Shard
            && header.Shard == shard.Name;
        return !isHeaderGood || record.Length < shard.RecordBytes ? false
            : header.RecordBytes != shard.RecordBytes ? null
            : RecordFormat.HasGoodBody(record, header);
    }

    private static long EndOf(in HeldShard shard) => shard.Position.Offset + shard.RecordBytes;

    private static long BlockStart(in HeldShard shard) =>
        shard.Position.Offset / RecordFormat.BlockBytes * RecordFormat.BlockBytes;

    private static long BlockEnd(in HeldShard shard) => RecordFormat.AlignBlock(EndOf(shard));
}
