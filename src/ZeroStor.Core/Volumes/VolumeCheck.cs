namespace ZeroStor.Volumes;

/// <summary>Checks one volume to its last byte. Reads only.</summary>
internal sealed class VolumeCheck(
    IDiskFile file,
    long length,
    uint number,
    bool isNewest,
    SuperblockFile superblock,
    Action<DiskFinding> tell,
    Action<long> progress,
    CancellationToken cancel) : IScanVisitor
{
    private const int ReadBytes = 64 * 1024;
    private const string Rewritten =
        "nothing to do: the silo writes it anew; without one --repair-index does";

    private readonly string _name = DiskCheck.VolumeFile(number);
    private FooterIndex? _index;

    internal long Shards { get; private set; }

    internal long OtherRecords { get; private set; }

    /// <summary>Null where the headers are lost.</summary>
    internal UInt128? Generation { get; private set; }

    /// <summary>Where the last record ends.</summary>
    internal long RecordsEnd { get; private set; }

    /// <summary>Whether the volume should have a footer and has no good one that could be read.</summary>
    internal bool WantsFooter { get; private set; }

    /// <summary>One that opening believes.</summary>
    internal bool HasGoodFooter => _index is not null;

    internal void Run()
    {
        if (isNewest && length <= Volume.HeaderBytes && superblock.Current.MarkVolume != number)
        {
            Tell(DiskFindingKind.UnfinishedVolume, 0,
                "the disk ended while this volume was being made: nothing in it was ever acknowledged",
                "nothing to do: the silo removes it");
            return;
        }

        CheckHeaders();
        if (Generation is { } generation)
        {
            CheckRecords(generation);
        }
    }

    public void Meet(in ScannedRecord record)
    {
        cancel.ThrowIfCancellationRequested();
        Shards += record.Header.Kind == RecordKind.Shard ? 1 : 0;
        OtherRecords += record.Header.Kind == RecordKind.Shard ? 0 : 1;
        _index?.Meet(record);
        progress(record.At.Offset);
    }

    public void MeetRot(long from, long to, RecordPart part, in RecordHeader header)
    {
        cancel.ThrowIfCancellationRequested();
        _index?.Skip(from, to);
        string whose = header.Kind switch
        {
            RecordKind.Shard => $"place {header.Place} of stripe {header.Stripe}",
            RecordKind.Delete => "a delete",
            _ => "a record that is no shard",
        };
        (DiskFindingKind kind, string what) = part switch
        {
            RecordPart.Extensions => (DiskFindingKind.RecordExtensions, $"the extensions of {whose} are damaged"),
            RecordPart.Payload => (DiskFindingKind.RecordPayload, $"the payload of {whose} is damaged"),
            _ => (DiskFindingKind.RecordHeader, $"{to - from} bytes hold no good record where there was one"),
        };
        Tell(kind, from, what, DiskCheck.Rebuilt);
    }

    private void CheckHeaders()
    {
        ZeroStorException? foreign = null;
        var lost = new List<int>();
        for (int copy = 0; copy < Volume.HeaderCopies; copy++)
        {
            UInt128? found = Try(() => Volume.ReadHeaderCopy(file, superblock.Current, number, copy, ref foreign));
            if (found is null || (Generation is { } first && first != found))
            {
                lost.Add(copy);
            }

            Generation ??= found;
        }

        if (Generation is null && foreign is not null)
        {
            Tell(DiskFindingKind.ForeignVolume, 0,
                foreign.Message.TrimEnd('.'), "the silo does not open the disk while it is here");
        }
        else if (Generation is null)
        {
            Tell(DiskFindingKind.VolumeHeader, 0,
                "both copies of the volume's header are damaged, so no record in it can be told from garbage",
                DiskCheck.Rebuilt);
        }
        else
        {
            lost.ForEach(copy => Tell(
                DiskFindingKind.VolumeHeader, copy * RecordFormat.BlockBytes,
                "one of the two copies of the volume's header is damaged", "nothing to do: the other one counts"));
            TellFillerOfHeaders(lost);
        }
    }

    private void TellFillerOfHeaders(List<int> lost)
    {
        for (int copy = 0; copy < Volume.HeaderCopies; copy++)
        {
            long at = (copy * (long)RecordFormat.BlockBytes) + Volume.HeaderFieldBytes;
            long end = (copy + 1L) * RecordFormat.BlockBytes;
            if (!lost.Contains(copy) && FirstNonZero(at, Math.Min(end, length)) is { } hit)
            {
                tell(DiskCheck.Filler(_name, hit));
            }
        }
    }

    private void CheckRecords(UInt128 generation)
    {
        VolumeFooter? footer = Try(() => VolumeFooter.TryOpen(file, number, generation, length));
        _index = footer is null ? null : Try(() => FooterIndex.Of(footer));
        long end = footer?.Trailer.RecordsEnd ?? superblock.Current.EndOf(number, length);
        bool isLate = footer is null && end < length;
        long mark = footer is null ? DiskReplay.MarkOf(superblock, number, isNewest, end) : long.MaxValue;
        VolumeScan scan = VolumeScanner.Scan(file, number, generation, end, mark, this);
        RecordsEnd = scan.End;
        _index?.End();
        if (scan.IsUnreadable)
        {
            Tell(DiskFindingKind.Unreadable, 0,
                "the device does not give all bytes of it", $"replace it; {DiskCheck.Rebuilt}");
        }

        CheckEnd(scan, footer, mark, end);
        CheckFooter(scan, footer, isLate);
    }

    private void CheckEnd(VolumeScan scan, VolumeFooter? footer, long mark, long end)
    {
        if (mark != long.MaxValue && mark > end)
        {
            Tell(DiskFindingKind.ShortVolume, end,
                $"the file ends here, and {mark} bytes of it were synced: {mark - end} bytes are lost",
                DiskCheck.Rebuilt);
        }

        if (footer is not null && FirstNonZero(footer.Trailer.RecordsEnd, footer.Trailer.Start) is { } hit)
        {
            tell(DiskCheck.Filler(_name, hit));
        }

        if (mark != long.MaxValue && !scan.HasFooter && FirstNonZero(scan.End, end) is { } torn)
        {
            Tell(DiskFindingKind.TornTail, torn,
                "a batch was being written when the disk ended: it was never acknowledged",
                "nothing to do: the silo cuts it off");
        }
    }

    private void CheckFooter(VolumeScan scan, VolumeFooter? footer, bool isLate)
    {
        // Else it may be one that was being written when the disk ended, and is no loss.
        bool isSure = superblock.Current.IsClean && superblock.HasBothSlots && !isLate;
        bool isDamaged = footer is null ? scan.HasFooter : _index is null;
        if (isDamaged && isSure)
        {
            Tell(DiskFindingKind.FooterDamaged, footer?.Trailer.Start ?? scan.End,
                "the footer is damaged: the records say the same, and opening reads them", Rewritten);
        }
        else if (isDamaged || (footer is null && !isNewest))
        {
            Tell(DiskFindingKind.FooterMissing, scan.End,
                "the volume has no whole footer: the disk was not closed in order, or had no room for it; or else "
                    + "what was behind this is gone, which the fabric's sweep finds",
                Rewritten);
        }
        else if (_index is { Wrong: > 0 } index)
        {
            Tell(DiskFindingKind.FooterWrong, footer!.Trailer.Start,
                $"the footer is whole and {index.Wrong} of its entries are not what the records say",
                "report it; --repair-index writes it anew");
        }

        WantsFooter = !scan.IsUnreadable
            && (isDamaged || (footer is null && !isNewest) || _index is { Wrong: > 0 });
    }

    private long? FirstNonZero(long from, long to)
    {
        byte[] bytes = new byte[(int)Math.Clamp(to - from, 0, ReadBytes)];
        for (long at = from; at < to; at += bytes.Length)
        {
            int wanted = (int)Math.Min(bytes.Length, to - at);
            int read = Try(() => (int?)file.Read(bytes.AsSpan(0, wanted), at)) ?? 0;
            int hit = bytes.AsSpan(0, read).IndexOfAnyExcept((byte)0);
            if (hit >= 0)
            {
                return at + hit;
            }
        }

        return null;
    }

    // What cannot be read is told once, by the scan.
    private static T? Try<T>(Func<T?> read)
    {
        try
        {
            return read();
        }
        catch (OsException)
        {
            return default;
        }
    }

    private void Tell(DiskFindingKind kind, long at, string what, string advice) =>
        tell(new DiskFinding(kind, _name, at, what, advice));
}
