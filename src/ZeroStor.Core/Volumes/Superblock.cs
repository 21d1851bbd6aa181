using System.Buffers.Binary;

namespace ZeroStor.Volumes;

/// <summary>Who a disk is and how far its newest volume is known to be durable. Two copies stand in the file
/// <c>superblock</c>, each in a block of its own with a sequence number and a sum; they are written in turns,
/// so a torn write costs the older one at most. Byte by byte in README.md beside this file.</summary>
/// <param name="Fabric">The fabric that the disk belongs to.</param>
/// <param name="Disk">Its number in the map.</param>
/// <param name="Claim">The claim it was last opened under; 0 when it was never claimed.</param>
public sealed record Superblock(FabricId Fabric, DiskId Disk, uint Claim)
{
    internal const string FileName = "superblock";
    internal const int SlotBytes = 4096;
    internal const int FileBytes = 2 * SlotBytes;

    private const uint Magic = 0x5A53_5342; // "ZSSB"
    private const byte Format = 1;
    private const int SumAt = 128;

    /// <summary>Of a slot; what is left of its block is zeros.</summary>
    internal const int FieldBytes = SumAt + Sum128.Bytes;

    /// <summary>The claim that its owner is about to ask the map for; 0 when none. See
    /// <see cref="Disk.DemandClaim"/>.</summary>
    public uint PendingClaim { get; init; }

    /// <summary>Random, made by the format: a volume of another life of this folder is never taken for one of
    /// this.</summary>
    internal UInt128 Life { get; init; }

    internal ulong Sequence { get; init; }

    /// <summary>Whether the disk was closed in order, so that <see cref="DurableBytes"/> is the whole of the
    /// newest volume.</summary>
    public bool IsClean { get; init; }

    /// <summary>The highest volume number ever made; none below is made again.</summary>
    internal uint LastVolume { get; init; }

    /// <summary>The volume that <see cref="DurableBytes"/> speaks of; 0 when of none.</summary>
    internal uint MarkVolume { get; init; }

    /// <summary>Everything below this in <see cref="MarkVolume"/> was synced: what is bad there is rot, not a
    /// torn tail.</summary>
    internal long DurableBytes { get; init; }

    /// <summary>The highest tick the disk has seen.</summary>
    public Tick HighestTick { get; init; }

    /// <summary>A volume that was sealed long ago and gets its footer now; 0 when none does.</summary>
    internal uint FooterVolume { get; init; }

    /// <summary>Where its records end: what is behind is a footer, or the beginning of one.</summary>
    internal long FooterVolumeEnd { get; init; }

    /// <summary>Where the background's scrub stands.</summary>
    internal ScrubStand Scrub { get; init; }

    /// <summary>As much of a volume without a good footer as may hold records.</summary>
    internal long EndOf(uint volume, long fileBytes) =>
        volume == FooterVolume ? Math.Min(FooterVolumeEnd, fileBytes) : fileBytes;

    internal void Write(Span<byte> slot)
    {
        slot.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(slot, Magic);
        slot[4] = Format;
        slot[5] = IsClean ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt64BigEndian(slot[8..], Sequence);
        Id128.Write(slot[16..], Fabric.Value);
        Id128.Write(slot[32..], Life);
        BinaryPrimitives.WriteUInt32BigEndian(slot[48..], Disk.Value);
        BinaryPrimitives.WriteUInt32BigEndian(slot[52..], Claim);
        BinaryPrimitives.WriteUInt32BigEndian(slot[56..], PendingClaim);
        BinaryPrimitives.WriteUInt32BigEndian(slot[60..], LastVolume);
        BinaryPrimitives.WriteInt64BigEndian(slot[64..], DurableBytes);
        BinaryPrimitives.WriteUInt32BigEndian(slot[72..], MarkVolume);
        BinaryPrimitives.WriteUInt32BigEndian(slot[76..], HighestTick.Value);
        BinaryPrimitives.WriteUInt32BigEndian(slot[80..], FooterVolume);
        BinaryPrimitives.WriteInt64BigEndian(slot[88..], FooterVolumeEnd);
        BinaryPrimitives.WriteUInt64BigEndian(slot[96..], Scrub.After.Packed);
        BinaryPrimitives.WriteUInt64BigEndian(slot[104..], Scrub.End.Packed);
        BinaryPrimitives.WriteUInt32BigEndian(slot[112..], Scrub.Began.Value);
        BinaryPrimitives.WriteUInt32BigEndian(slot[116..], Scrub.LastBegan.Value);
        BinaryPrimitives.WriteUInt32BigEndian(slot[120..], Scrub.LastEnded.Value);
        Sum128.Of(slot[..SumAt]).Write(slot[SumAt..]);
    }

    /// <summary>The superblock in a slot; null when the slot is torn or rotten.</summary>
    /// <exception cref="ZeroStorException">Corrupt: whole, but of a format that this version does not know.
    /// </exception>
    internal static Superblock? Read(ReadOnlySpan<byte> slot)
    {
        if (BinaryPrimitives.ReadUInt32BigEndian(slot) != Magic
            || Sum128.Read(slot[SumAt..]) != Sum128.Of(slot[..SumAt]))
        {
            return null;
        }

        if (slot[4] != Format)
        {
            throw ZeroStorException.Corrupt(
                $"A superblock is of format {slot[4]}, and this version knows {Format}: run a newer ZeroStor.");
        }

        return new Superblock(
            new FabricId(Id128.Read(slot[16..])),
            new DiskId(BinaryPrimitives.ReadUInt32BigEndian(slot[48..])),
            BinaryPrimitives.ReadUInt32BigEndian(slot[52..]))
        {
            Sequence = BinaryPrimitives.ReadUInt64BigEndian(slot[8..]),
            Life = Id128.Read(slot[32..]),
            IsClean = slot[5] == 1,
            PendingClaim = BinaryPrimitives.ReadUInt32BigEndian(slot[56..]),
            LastVolume = BinaryPrimitives.ReadUInt32BigEndian(slot[60..]),
            DurableBytes = BinaryPrimitives.ReadInt64BigEndian(slot[64..]),
            MarkVolume = BinaryPrimitives.ReadUInt32BigEndian(slot[72..]),
            HighestTick = new Tick(BinaryPrimitives.ReadUInt32BigEndian(slot[76..])),
            FooterVolume = BinaryPrimitives.ReadUInt32BigEndian(slot[80..]),
            FooterVolumeEnd = BinaryPrimitives.ReadInt64BigEndian(slot[88..]),
            Scrub = ReadScrub(slot),
        };
    }

    private static ScrubStand ReadScrub(ReadOnlySpan<byte> slot) => new()
    {
        After = new RecordPosition(BinaryPrimitives.ReadUInt64BigEndian(slot[96..])),
        End = new RecordPosition(BinaryPrimitives.ReadUInt64BigEndian(slot[104..])),
        Began = new Tick(BinaryPrimitives.ReadUInt32BigEndian(slot[112..])),
        LastBegan = new Tick(BinaryPrimitives.ReadUInt32BigEndian(slot[116..])),
        LastEnded = new Tick(BinaryPrimitives.ReadUInt32BigEndian(slot[120..])),
    };
}

/// <summary>The open superblock pair. Thread-safe: the writer marks durable lengths in it while the owner
/// takes claims.</summary>
internal sealed class SuperblockFile : IDisposable
{
    private readonly Lock _lock = new();
    private readonly IDiskFile _file;
    private Superblock _current;

    private SuperblockFile(IDiskFile file, Superblock current, bool hasBothSlots, FileIdentity identity)
    {
        _file = file;
        _current = current;
        HasBothSlots = hasBothSlots;
        Identity = identity;
    }

    internal FileIdentity Identity { get; }

    /// <summary>Whether both slots were good when the file was opened. Where only one was, the other may have
    /// been the newer.</summary>
    internal bool HasBothSlots { get; }

    internal Superblock Current
    {
        get
        {
            lock (_lock)
            {
                return _current;
            }
        }
    }

    /// <exception cref="ZeroStorException">Corrupt: neither slot is good.</exception>
    internal static SuperblockFile Open(IDiskFiles files, string folder, FileUse use)
    {
        string path = Path.Combine(folder, Superblock.FileName);
        IDiskFile file = files.Open(path, use);
        try
        {
            Superblock? first = ReadSlot(file, 0);
            Superblock? second = ReadSlot(file, 1);
            Superblock newest = (first, second) switch
            {
                (null, null) => throw ZeroStorException.Corrupt(
                    $"Both superblocks in {folder} are damaged, so whose disk it was cannot be told: remove the "
                    + "folder's content and let the fabric repair onto a new disk."),
                (null, _) => second,
                (_, null) => first,
                _ => first.Sequence > second.Sequence ? first : second,
            };
            return new SuperblockFile(file, newest, first is not null && second is not null, file.Identify());
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static Superblock? ReadSlot(IDiskFile file, int slot)
    {
        Span<byte> bytes = stackalloc byte[Superblock.FieldBytes];
        bytes.Clear();
        _ = file.Read(bytes, (long)slot * Superblock.SlotBytes);
        return Superblock.Read(bytes);
    }

    /// <summary>Writes both slots of a new pair into <paramref name="file"/> and syncs.</summary>
    internal static void WriteNew(IDiskFile file, Superblock superblock)
    {
        byte[] bytes = new byte[Superblock.FileBytes];
        (superblock with { Sequence = 0 }).Write(bytes.AsSpan(0, Superblock.SlotBytes));
        (superblock with { Sequence = 1 }).Write(bytes.AsSpan(Superblock.SlotBytes));
        file.Write([bytes], 0);
        file.Sync();
    }

    /// <summary>Replaces the older slot and syncs; what stood before still stands when that fails.</summary>
    internal void Update(Func<Superblock, Superblock> change)
    {
        lock (_lock)
        {
            Superblock next = change(_current) with { Sequence = _current.Sequence + 1 };
            byte[] slot = new byte[Superblock.SlotBytes];
            next.Write(slot);
            _file.Write([slot], (long)(next.Sequence % 2) * Superblock.SlotBytes);
            _file.Sync();
            _current = next;
        }
    }

    public void Dispose() => _file.Dispose();
}
