using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>What a check found.</summary>
/// <param name="Records">Good records, dead ones and copies among them.</param>
/// <param name="Problems">One sentence for each thing that is wrong; empty for a sound disk.</param>
internal sealed record DiskCheckResult(int Records, ImmutableArray<string> Problems);

/// <summary>Verifies a disk that nobody has open: both superblocks, every volume's header, every record to
/// its last byte, and every footer. Opens files for reading only and changes nothing.</summary>
internal static class DiskCheck
{
    /// <exception cref="ZeroStorException">Corrupt: there is no telling whose disk it is, or a format is
    /// unknown. </exception>
    /// <exception cref="OsException">A file could not be opened.</exception>
    internal static DiskCheckResult Run(IDiskFiles files, string folder)
    {
        using var superblock = SuperblockFile.Open(files, folder, FileUse.Read);
        var problems = new List<string>();
        if (!superblock.HasBothSlots)
        {
            problems.Add($"One of the two superblocks in {folder} is damaged.");
        }

        int records = 0;
        List<uint> numbers = DiskFolder.ListVolumes(files, folder);
        foreach (uint number in numbers)
        {
            using IDiskFile file = files.Open(DiskFolder.VolumePath(folder, number), FileUse.Read);
            long length = file.Identify().Length;
            bool isNewest = number == numbers[^1];
            if (Volume.ReadHeader(file, superblock.Current, number) is not { } generation)
            {
                if (!isNewest || length > Volume.HeaderBytes)
                {
                    problems.Add($"{DiskFolder.VolumeName(number)} has lost both its headers.");
                }

                continue;
            }

            VolumeFooter? footer = VolumeFooter.TryOpen(file, number, generation, length);
            length = footer is null ? superblock.Current.EndOf(number, length) : length;
            long mark = footer is null
                ? DiskReplay.MarkOf(superblock, number, isNewest, length)
                : long.MaxValue;
            VolumeScan scan = VolumeScanner.Scan(
                file, number, generation, footer?.Trailer.RecordsEnd ?? length, mark, checkAll: true);
            records += scan.Records.Count;
            if (footer is null ? scan.HasFooter : !IsGood(footer))
            {
                // Else it may be one that was being written when the disk ended, and is no loss.
                if (superblock.Current.IsClean)
                {
                    problems.Add($"{DiskFolder.VolumeName(number)} has a damaged footer.");
                }
            }
            else if (footer is not null && !IsRight(footer, scan))
            {
                problems.Add(
                    $"The footer of {DiskFolder.VolumeName(number)} lists what its records do not say.");
            }

            if (scan.BadRegions > 0)
            {
                problems.Add($"{DiskFolder.VolumeName(number)} has {scan.BadRegions} damaged stretches.");
            }
        }

        return new DiskCheckResult(records, [.. problems]);
    }

    private static bool IsGood(VolumeFooter footer) =>
        footer.ReadAll() is not null && footer.ReadKept() is not null;

    // Not all records need be listed: what was dead is not. But what is must be there, under that name.
    private static bool IsRight(VolumeFooter footer, VolumeScan scan)
    {
        var headers = scan.Records.ToDictionary(r => r.At, r => r.Header);
        return footer.ReadAll()!.SelectMany(p => p).All(
                s => headers.TryGetValue(s.Position, out RecordHeader header)
                    && header.Kind == RecordKind.Shard
                    && (HeldShard.Of(header, s.Position) with { IsBad = s.IsBad }) == s)
            && footer.ReadKept()!.All(
                k => headers.TryGetValue(k.Position, out RecordHeader header)
                    && header.RecordBytes == k.RecordBytes
                    && (header.Kind == RecordKind.Delete
                        ? k.Scope == header.Scope && k.Until == header.Until
                        : k.Scope is null));
    }
}
