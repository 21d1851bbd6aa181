using System.Buffers.Binary;

namespace ZeroStor.Volumes;

/// <summary>One volume: an append-only file. Two copies of its header, each in a block of its own, name the
/// disk, the number and the random generation of this life of the file; batches of records follow. The writer
/// alone calls what writes; pins may be taken by anybody and keep the file open, not its name.</summary>
internal sealed class Volume
{
    /// <summary>Where the first batch begins.</summary>
    internal const long HeaderBytes = 2 * RecordFormat.BlockBytes;

    internal const int HeaderCopies = 2;

    /// <summary>Of a copy of the header; what is left of its block is zeros.</summary>
    internal const int HeaderFieldBytes = SumAt + Sum128.Bytes;

    private const uint Magic = 0x5A53_564F; // "ZSVO"
    private const byte Format = 1;
    private const int SumAt = 64;

    // Written again and again when growing, so it stays in the processor's cache; aligned for the device.
    private static readonly ReadOnlyMemory<byte> Zeros = AlignedZeros(256 * 1024);

    private readonly Lock _pinLock = new();
    private int _pins = 1;
    private long _mostFileBytes;

    internal Volume(uint number, UInt128 generation, IDiskFile file, long end, long fileBytes)
    {
        Number = number;
        Generation = generation;
        File = file;
        End = end;
        FileBytes = fileBytes;
        Identity = file.Identify();
    }

    internal uint Number { get; }

    internal UInt128 Generation { get; }

    internal IDiskFile File { get; }

    /// <summary>Who the file was when it was opened.</summary>
    internal FileIdentity Identity { get; }

    /// <summary>Where the last durable record ends.</summary>
    internal long End { get; private set; }

    /// <summary>Length of the file; beyond <see cref="End"/> it is zeros.</summary>
    internal long FileBytes { get; private set; }

    /// <summary>Where the next batch begins.</summary>
    internal long NextBatch => RecordFormat.AlignBlock(End);

    /// <summary>Below this everything in the file is durable: its records, and its footer where it has one.
    /// </summary>
    internal long DurableBytes => Footer is null ? End : FileBytes;

    /// <summary>The most that any batch which was handed over makes of the file.</summary>
    internal long MostFileBytes => Volatile.Read(ref _mostFileBytes);

    /// <summary>No batch will be added.</summary>
    internal bool IsSealed { get; set; }

    /// <summary>The shards held here while there is no footer; else null. Under the lock of
    /// <see cref="DiskContents"/>.</summary>
    internal RecentShards? Recent { get; set; }

    /// <summary>Behind the records of a sealed volume; null where it has none, or none that is good.
    /// </summary>
    internal VolumeFooter? Footer { get; set; }

    /// <summary>Shards held here, damaged ones among them. Under the lock of <see cref="DiskContents"/>.
    /// </summary>
    internal int Shards { get; set; }

    /// <summary>Bytes of records that must be kept. Under the lock of <see cref="DiskContents"/>.</summary>
    internal long LiveBytes { get; set; }

    /// <summary>Bytes that are not live, padding between batches among them: what compaction would
    /// win.</summary>
    internal long DeadBytes => End - HeaderBytes - LiveBytes;

    /// <summary>Whether records may lie here that the index does not name: copies that were replaced, or ones
    /// that could not be read. A delete must count this volume among its targets.</summary>
    internal bool MayHoldUnnamed { get; set; }

    /// <summary>Whether something here could not be read for want of the device, so that it must not be
    /// thrown away yet.</summary>
    internal bool IsUnreadable { get; set; }

    /// <summary>Whether the footer could not be read, or did not match its sums, since the volume was opened.
    /// </summary>
    internal bool IsFooterBad { get; set; }

    /// <summary>Whether its shards could not be told when somebody asked: a delete must count it among its
    /// targets whatever it kills.</summary>
    internal bool IsUntold { get; set; }

    internal static Volume Create(
        IDiskFiles files, string folder, Superblock disk, uint number, IEntropy entropy)
    {
        UInt128 generation = Id128.Random(entropy);
        string path = DiskFolder.VolumePath(folder, number);
        IDiskFile file = files.Open(path, FileUse.Create);
        try
        {
            byte[] block = new byte[RecordFormat.BlockBytes];
            WriteHeader(block, disk, number, generation);
            file.Write([block, block], 0);
            file.Sync();
            files.SyncFolder(DiskFolder.VolumesPath(folder));
            return new Volume(number, generation, file, HeaderBytes, HeaderBytes);
        }
        catch (OsException e)
        {
            file.Dispose();
            if (e.IsNoSpace)
            {
                // Nothing was ever promised about it, and the room may be the last.
                files.Unlink(path);
            }

            throw;
        }
    }

    /// <summary>The generation that a volume's header names; null when both copies are damaged. A block may
    /// show what it held in an earlier life of the device, so one copy that is this volume's own is enough.
    /// </summary>
    /// <exception cref="ZeroStorException">Corrupt: the volume is another disk's, or of an unknown format.
    /// </exception>
    internal static UInt128? ReadHeader(IDiskFile file, Superblock disk, uint number)
    {
        ZeroStorException? foreign = null;
        for (int copy = 0; copy < HeaderCopies; copy++)
        {
            if (ReadHeaderCopy(file, disk, number, copy, ref foreign) is { } generation)
            {
                return generation;
            }
        }

        return foreign is null ? null : throw foreign;
    }

    /// <summary>As <see cref="ReadHeader"/>, of one copy alone.</summary>
    /// <param name="file">The volume's.</param>
    /// <param name="disk">Whose it should be.</param>
    /// <param name="number">Which it should be.</param>
    /// <param name="copy">0 or 1.</param>
    /// <param name="foreign">Why it is not, where it is whole and another's; else left as it is.</param>
    internal static UInt128? ReadHeaderCopy(
        IDiskFile file, Superblock disk, uint number, int copy, ref ZeroStorException? foreign)
    {
        Span<byte> header = stackalloc byte[HeaderFieldBytes];
        int read = file.Read(header, (long)copy * RecordFormat.BlockBytes);
        if (read < header.Length
            || BinaryPrimitives.ReadUInt32BigEndian(header) != Magic
            || Sum128.Read(header[SumAt..]) != Sum128.Of(header[..SumAt]))
        {
            return null;
        }

        ZeroStorException? why = WhyForeign(header, disk, number);
        foreign = why ?? foreign;
        return why is null ? Id128.Read(header[40..]) : null;
    }

    private static ZeroStorException? WhyForeign(ReadOnlySpan<byte> block, Superblock disk, uint number)
    {
        if (block[4] != Format)
        {
            return ZeroStorException.Corrupt(
                $"Volume {number} of disk {disk.Disk} is of format {block[4]}, and this version knows {Format}: "
                + "run a newer ZeroStor.");
        }

        bool isOurs = Id128.Read(block[8..]) == disk.Fabric.Value
            && Id128.Read(block[24..]) == disk.Life
            && BinaryPrimitives.ReadUInt32BigEndian(block[56..]) == disk.Disk.Value
            && BinaryPrimitives.ReadUInt32BigEndian(block[60..]) == number;
        return isOurs
            ? null
            : ZeroStorException.Corrupt(
                $"{DiskFolder.VolumeName(number)} in the folder of disk {disk.Disk} belongs to another disk or "
                + "another life of this one: take it out.");
    }

    private static void WriteHeader(Span<byte> block, Superblock disk, uint number, UInt128 generation)
    {
        BinaryPrimitives.WriteUInt32BigEndian(block, Magic);
        block[4] = Format;
        Id128.Write(block[8..], disk.Fabric.Value);
        Id128.Write(block[24..], disk.Life);
        Id128.Write(block[40..], generation);
        BinaryPrimitives.WriteUInt32BigEndian(block[56..], disk.Disk.Value);
        BinaryPrimitives.WriteUInt32BigEndian(block[60..], number);
        Sum128.Of(block[..SumAt]).Write(block[SumAt..]);
    }

    /// <summary>How long the file will be when a batch was written: where that reaches beyond the file, up to
    /// the next whole step, so that those after it are synced over blocks that are there; behind a large batch
    /// only up to the next block.</summary>
    internal long LengthWith(long start, long end, DiskOptions options) =>
        end - start < options.LargeBatchBytes
            ? GrownTo(end, FileBytes, options.GrowBytes)
            : Math.Max(FileBytes, RecordFormat.AlignBlock(end));

    /// <summary>Writes a batch, in whole blocks, and zeros behind it where the file grows beyond it. All of
    /// it becomes durable in one sync.</summary>
    /// <exception cref="OsException">Out of room among others: then <see cref="Undo"/>.</exception>
    internal void Write(List<ReadOnlyMemory<byte>> pieces, long start, long fileBytes)
    {
        if (fileBytes > FileBytes)
        {
            for (long at = start + pieces.Sum(p => (long)p.Length); at < fileBytes; at += pieces[^1].Length)
            {
                pieces.Add(Zeros[..(int)Math.Min(Zeros.Length, fileBytes - at)]);
            }
        }

        File.Write(pieces, start);
        FileBytes = fileBytes;
    }

    /// <summary>Leaves no trace of a batch that found no room: its beginning lies in a step that stays, and
    /// must not be taken for records when others are written over a part of it.</summary>
    internal void Undo(long start)
    {
        File.Truncate(FileBytes);
        for (long at = start; at < FileBytes; at += Zeros.Length)
        {
            File.Write([Zeros[..(int)Math.Min(Zeros.Length, FileBytes - at)]], at);
        }
    }

    private static ReadOnlyMemory<byte> AlignedZeros(int bytes)
    {
        SharedBuffer zeros = BufferPool.Shared.Rent(bytes);
        zeros.Span.Clear();
        return zeros.Memory;
    }

    /// <summary>The length that a file will have when it has grown to hold <paramref name="end"/>.</summary>
    internal static long GrownTo(long end, long fileBytes, int stepBytes) =>
        end <= fileBytes ? fileBytes : (end + stepBytes - 1) / stepBytes * stepBytes;

    /// <summary>A batch is about to make the file so long.</summary>
    internal void Expect(long fileBytes) =>
        Volatile.Write(ref _mostFileBytes, Math.Max(_mostFileBytes, fileBytes));

    /// <summary>Says that everything below <paramref name="end"/> was synced.</summary>
    internal void Advance(long end) => End = end;

    /// <summary>Cuts off the zeros behind the last record, durably.</summary>
    internal void Trim()
    {
        if (FileBytes > End)
        {
            File.Truncate(End);
            File.Sync();
            FileBytes = End;
        }
    }

    /// <summary>Writes a footer behind the records; <see cref="SyncFooter"/> makes it durable.</summary>
    /// <exception cref="OsException">Out of room among others: then <see cref="CutFooter"/>.</exception>
    internal void WriteFooter(ReadOnlyMemory<byte> footer) => File.Write([footer], NextBatch);

    /// <summary>Cuts off what is behind the footer, and makes it durable.</summary>
    internal void SyncFooter(int footerBytes)
    {
        long length = NextBatch + footerBytes;
        if (FileBytes > length)
        {
            File.Truncate(length);
        }

        File.Sync();
        FileBytes = length;
    }

    /// <summary>Leaves no trace of a footer that found no room, durably.</summary>
    internal void CutFooter()
    {
        File.Truncate(End);
        File.Sync();
        FileBytes = End;
    }

    /// <summary>Keeps the file open until <see cref="Unpin"/>.</summary>
    internal void Pin()
    {
        lock (_pinLock)
        {
            _pins++;
        }
    }

    /// <summary>As <see cref="Pin"/>, where the file may have been closed already.</summary>
    internal bool TryPin()
    {
        lock (_pinLock)
        {
            _pins += _pins > 0 ? 1 : 0;
            return _pins > 0;
        }
    }

    /// <summary>Gives a pin back; the volume's own, which it was made with, is given back when it is unlinked
    /// or the disk is closed.</summary>
    internal void Unpin()
    {
        lock (_pinLock)
        {
            if (--_pins > 0)
            {
                return;
            }
        }

        File.Dispose();
    }
}
