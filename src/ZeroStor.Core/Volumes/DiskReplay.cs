using System.Buffers.Binary;
using System.Collections.Immutable;

namespace ZeroStor.Volumes;

/// <summary>Brings a disk's contents back into memory from its volumes: by the footers of those that have a
/// good one, by every record's header of the others. Only the newest volume can have a torn tail: every other
/// one was synced to its end before the next was made. After anything but a clean stop the tail is cut off,
/// durably, before a record is written elsewhere: what was not replayed now never is.</summary>
internal sealed class DiskReplay
{
    private readonly IDiskFiles _files;
    private readonly string _folder;
    private readonly SuperblockFile _superblock;
    private readonly DiskOptions _options;
    private readonly Dictionary<DeleteScope, RecordPosition> _deletedUntil = [];
    private readonly List<KeptRecord> _kept = [];
    private readonly List<Volume> _withFooter = [];

    private DiskReplay(IDiskFiles files, string folder, SuperblockFile superblock, DiskOptions options)
    {
        _files = files;
        _folder = folder;
        _superblock = superblock;
        _options = options;
        Contents = new DiskContents(options.Hash);
    }

    internal DiskContents Contents { get; }

    /// <summary>The volume to go on in; null to begin a new one.</summary>
    internal Volume? Active { get; private set; }

    internal uint LastVolume { get; private set; }

    /// <summary>Replays, repairs the tail, and marks the superblock as in use.</summary>
    /// <exception cref="OsException">The device failed.</exception>
    /// <exception cref="ZeroStorException">Corrupt: a format that this version does not know, or a volume of
    /// another disk.</exception>
    internal static DiskReplay Run(
        IDiskFiles files, string folder, SuperblockFile superblock, DiskOptions options)
    {
        var replay = new DiskReplay(files, folder, superblock, options);
        try
        {
            replay.Run();
            return replay;
        }
        catch
        {
            foreach (Volume volume in replay.Contents.Volumes())
            {
                volume.Unpin();
            }

            throw;
        }
    }

    private void Run()
    {
        Superblock superblock = _superblock.Current;
        List<uint> numbers = DiskFolder.ListVolumes(_files, _folder);
        uint newest = numbers.Count > 0 ? numbers[^1] : 0;
        LastVolume = Math.Max(newest, superblock.LastVolume);
        foreach (uint number in numbers)
        {
            // A newest one with a number below the last was followed by another, now gone, so it is whole
            // too.
            OpenVolume(number, isNewest: number == LastVolume);
        }

        Contents.Expect(_withFooter.Sum(v => (long)v.Footer!.Trailer.Shards));
        _withFooter.ForEach(EnterFooter);

        // Only now is it known which volumes there are, and so which deletes are still needed.
        _kept.ForEach(Contents.PutKept);
        Contents.Delete(_deletedUntil, ImmutableHashSet<uint>.Empty);
        Contents.SeeTick(superblock.HighestTick);
        Volume? last = Contents.Volumes().LastOrDefault();
        _superblock.Update(s => s with
        {
            IsClean = false,
            LastVolume = LastVolume,
            MarkVolume = last?.Number ?? 0,
            DurableBytes = last?.DurableBytes ?? 0,
            HighestTick = Contents.HighestTick,
            FooterVolume = 0,
            FooterVolumeEnd = 0,
        });
    }

    /// <summary>Below what everything in a volume was synced: all of it, where another followed or the disk
    /// was closed in order.</summary>
    internal static long MarkOf(SuperblockFile file, uint number, bool isNewest, long length)
    {
        Superblock superblock = file.Current;
        bool isMarked = superblock.MarkVolume == number;
        bool isClean = isMarked && superblock.IsClean && file.HasBothSlots && superblock.DurableBytes == length;
        return !isNewest || isClean ? long.MaxValue : isMarked ? superblock.DurableBytes : 0;
    }

    private void OpenVolume(uint number, bool isNewest)
    {
        IDiskFile file = _files.Open(DiskFolder.VolumePath(_folder, number), FileUse.ReadWrite);
        Volume? volume = null;
        try
        {
            long length = file.Identify().Length;
            Superblock superblock = _superblock.Current;
            if (isNewest && length <= Volume.HeaderBytes && superblock.MarkVolume != number)
            {
                // The disk stopped while making it, or before the first batch: nothing in it was ever
                // acknowledged. Its header is not asked: until its sync, blocks may show an earlier life's.
                _files.Unlink(DiskFolder.VolumePath(_folder, number));
                _files.SyncFolder(DiskFolder.VolumesPath(_folder));
            }
            else if (Volume.ReadHeader(file, superblock, number) is { } generation)
            {
                volume = Open(file, number, generation, length, isNewest);
            }
            else
            {
                // Both headers are gone, and with them what tells its records from garbage.
                Contents.CountBad();
            }
        }
        finally
        {
            if (volume is null)
            {
                file.Dispose();
            }
        }
    }

    // A volume with a good footer is whole, also where nothing else says so: the footer was only begun when
    // all records were synced. The shards that it lists are entered when all deletes are known.
    private Volume Open(IDiskFile file, uint number, UInt128 generation, long length, bool isNewest)
    {
        long mark = MarkOf(_superblock, number, isNewest, length);
        VolumeFooter? footer = Try(() => VolumeFooter.TryOpen(file, number, generation, length));
        if (footer is null && _superblock.Current.EndOf(number, length) is var end && end < length)
        {
            // The disk stopped in the middle of writing it.
            length = end;
            file.Truncate(length);
            file.Sync();
        }

        if (footer is null || Try(footer.ReadKept) is not { } kept)
        {
            return Replay(file, number, generation, length, footer?.Trailer, isNewest);
        }

        if (mark != long.MaxValue)
        {
            // Written, but perhaps never synced.
            file.Sync();
        }

        var volume = new Volume(number, generation, file, footer.Trailer.RecordsEnd, length)
        {
            Footer = footer,
            IsSealed = true,
            MayHoldUnnamed = footer.Trailer.MayHoldUnnamed,
        };
        Contents.AddVolume(volume);
        Contents.SeeTick(footer.Trailer.HighestTick);
        kept.ForEach(Keep);
        _withFooter.Add(volume);
        return volume;
    }

    // Null, as where it is damaged: the records tell the same.
    private static T? Try<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (OsException)
        {
            return null;
        }
    }

    private void EnterFooter(Volume volume)
    {
        if (Try(volume.Footer!.ReadAll) is not { } pages)
        {
            CountFooter();
            volume.CutFooter();
            Contents.LoseFooter(volume);
            EnterRecords(volume, VolumeScanner.Scan(
                volume.File, volume.Number, volume.Generation, volume.End, long.MaxValue));
            return;
        }

        foreach (List<HeldShard> page in pages)
        {
            page.RemoveAll(IsDead);
            Contents.PutShards(volume, page);
        }
    }

    private bool IsDead(HeldShard shard) =>
        _deletedUntil.Count > 0
        && (shard.Position.CompareTo(_deletedUntil.GetValueOrDefault(DeleteScope.Of(shard.Content))) < 0
            || shard.Position.CompareTo(_deletedUntil.GetValueOrDefault(DeleteScope.Of(shard.Name))) < 0);

    /// <param name="trailer">Of a footer that is damaged elsewhere; null where no good one is known.</param>
    private Volume Replay(
        IDiskFile file, uint number, UInt128 generation, long length, FooterTrailer? trailer, bool isNewest)
    {
        long mark = trailer is null ? MarkOf(_superblock, number, isNewest, length) : long.MaxValue;
        VolumeScan scan = VolumeScanner.Scan(file, number, generation, trailer?.RecordsEnd ?? length, mark);
        bool hasBadFooter = trailer is not null || scan.HasFooter;
        if (hasBadFooter || (mark != long.MaxValue && scan.End < length && !scan.IsUnreadable))
        {
            file.Truncate(scan.End);
            file.Sync();
            length = scan.End;
        }

        if (hasBadFooter)
        {
            CountFooter();
        }

        var volume = new Volume(number, generation, file, Math.Min(scan.End, length), length);
        bool isWhole = mark == long.MaxValue && !scan.IsUnreadable && !hasBadFooter;
        bool isActive = isNewest && isWhole && volume.NextBatch < _options.VolumeBytes;
        volume.IsSealed = !isActive;
        Active = isActive ? volume : null;
        Contents.AddVolume(volume);
        EnterRecords(volume, scan);
        return volume;
    }

    // Where the disk was not closed in order, it may have ended in the middle of writing a footer.
    private void CountFooter()
    {
        if (_superblock.Current.IsClean)
        {
            Contents.CountBad();
        }
    }

    private void EnterRecords(Volume volume, VolumeScan scan)
    {
        volume.MayHoldUnnamed |= scan.BadRegions > 0;
        volume.IsUnreadable |= scan.IsUnreadable;
        for (int i = 0; i < scan.BadRegions; i++)
        {
            Contents.CountBad();
        }

        foreach (ScannedRecord record in scan.Records)
        {
            Enter(volume, record);
        }
    }

    private void Enter(Volume volume, in ScannedRecord record)
    {
        RecordHeader header = record.Header;
        Contents.SeeTick(header.Tick);
        if (header.Kind == RecordKind.Shard)
        {
            Contents.PutShard(header, record.At);
        }
        else
        {
            Keep(KeptOf(volume.File, record));
        }
    }

    /// <summary>What a record that is no shard says.</summary>
    internal static KeptRecord KeptOf(IDiskFile file, in ScannedRecord record) =>
        record.Header.Kind == RecordKind.Delete
            ? new KeptRecord(record.At, record.Header.RecordBytes)
            {
                Scope = record.Header.Scope,
                Until = record.Header.Until,
                DeleteTargets = ReadTargets(file, record.Header, record.At),
            }
            : new KeptRecord(record.At, record.Header.RecordBytes);

    private void Keep(KeptRecord record)
    {
        if (record.Scope is { } scope)
        {
            RecordPosition known = _deletedUntil.GetValueOrDefault(scope);
            _deletedUntil[scope] = record.Until.CompareTo(known) > 0 ? record.Until : known;
        }

        _kept.Add(record);
    }

    // Null, which keeps the record for good, where the list cannot be read any more.
    private static ImmutableArray<uint>? ReadTargets(
        IDiskFile file, in RecordHeader header, RecordPosition at)
    {
        byte[] payload = new byte[header.PayloadBytes];
        int read = file.Read(payload, at.Offset + header.PayloadOffset);
        if (read < payload.Length || Sum128.Of(payload) != header.PayloadSum)
        {
            return null;
        }

        uint[] targets = new uint[payload.Length / sizeof(uint)];
        for (int i = 0; i < targets.Length; i++)
        {
            targets[i] = BinaryPrimitives.ReadUInt32BigEndian(payload.AsSpan(i * sizeof(uint)));
        }

        return [.. targets];
    }
}
