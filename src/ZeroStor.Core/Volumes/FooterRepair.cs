namespace ZeroStor.Volumes;

/// <summary>Writes the footer of a sealed volume of a disk that nobody has open anew, from the headers of its
/// records. It lists dead ones too: what kills them is kept while the volume is there, and is asked when the
/// disk is opened. Where records end is announced in the superblock first, as the disk itself does, so an end
/// at any moment leaves a volume without a footer at worst.</summary>
internal static class FooterRepair
{
    /// <param name="file">The volume's, open for writing.</param>
    /// <param name="number">The volume.</param>
    /// <param name="check">What was found in it.</param>
    /// <param name="superblock">Open for writing; it announces no other volume that still needs it.</param>
    /// <exception cref="OsException">The device failed.</exception>
    internal static DiskFinding Run(IDiskFile file, uint number, VolumeCheck check, SuperblockFile superblock)
    {
        long end = check.RecordsEnd;
        (FooterTrailer trailer, byte[]? bytes) =
            Lay(file, number, check.Generation!.Value, end, superblock.Current.HighestTick);
        string name = DiskCheck.VolumeFile(number);
        Announce(superblock, number, end);
        file.Truncate(end);
        file.Sync();
        if (bytes is null || !TryWrite(file, bytes, trailer.Start, end))
        {
            return new DiskFinding(
                DiskFindingKind.FooterMissing, name, end, "there is no room for its footer",
                "free some, and try again");
        }

        Update(
            superblock,
            number,
            trailer.Start + bytes.Length,
            s => s with { FooterVolume = 0, FooterVolumeEnd = 0 });
        return new DiskFinding(
            DiskFindingKind.FooterWritten, name, trailer.Start,
            $"the footer was written anew and lists {trailer.Shards} shards", "nothing to do");
    }

    private static (FooterTrailer Trailer, byte[]? Bytes) Lay(
        IDiskFile file, uint number, UInt128 generation, long end, Tick highestTick)
    {
        VolumeScan scan = VolumeScanner.Scan(file, number, generation, end, long.MaxValue);
        var shards = new Dictionary<ShardName, HeldShard>();
        var kept = new List<KeptRecord>();
        bool mayHoldUnnamed = scan.BadRegions > 0;
        foreach (ScannedRecord record in scan.Records)
        {
            RecordHeader header = record.Header;
            highestTick = header.Tick > highestTick ? header.Tick : highestTick;
            if (header.Kind == RecordKind.Shard)
            {
                // The later of two counts, as ever; the other is not listed.
                mayHoldUnnamed |= shards.ContainsKey(header.Shard);
                shards[header.Shard] = HeldShard.Of(header, record.At);
            }
            else
            {
                kept.Add(DiskReplay.KeptOf(file, record));
            }
        }

        List<HeldShard> inOrder = [.. shards.Values];
        inOrder.Sort((a, b) => a.CompareNames(b));
        var trailer = new FooterTrailer(
            RecordFormat.AlignBlock(end),
            end,
            inOrder.Count,
            kept.Sum(FooterFormat.KeptBytes),
            highestTick,
            mayHoldUnnamed);
        return (trailer, VolumeFooter.Lay(generation, trailer, inOrder, kept));
    }

    private static void Announce(SuperblockFile superblock, uint number, long end)
    {
        // One slot alone may be the older one: that the disk was closed in order is not its to say.
        bool isSure = superblock.HasBothSlots;
        Update(superblock, number, end, s => s with
        {
            IsClean = s.IsClean && isSure,
            FooterVolume = number,
            FooterVolumeEnd = end,
        });
    }

    private static void Update(
        SuperblockFile superblock, uint number, long durableBytes, Func<Superblock, Superblock> change) =>
        superblock.Update(s => change(s) with
        {
            DurableBytes = s.MarkVolume == number ? durableBytes : s.DurableBytes,
        });

    private static bool TryWrite(IDiskFile file, byte[] bytes, long start, long end)
    {
        try
        {
            file.Write([bytes], start);
            file.Sync();
            return true;
        }
        catch (OsException e) when (e.IsNoSpace)
        {
            file.Truncate(end);
            file.Sync();
            return false;
        }
    }
}
