namespace ZeroStor.Volumes;

/// <summary>The footer behind the records of a sealed volume: every shard that was held when it was written,
/// sorted by group, stripe and place, and what is no shard and was kept. It is never written again for what
/// dies or moves later. In memory are the names that its blocks begin with and the groups that it knows;
/// the rest is read where it is asked for, block by block, each against its sum. A footer that is torn or
/// rotten anywhere is refused as a whole when the disk is opened: the records tell the same. Thread-safe.
/// </summary>
internal sealed class VolumeFooter
{
    // The whole is read at once when a disk is opened.
    private const long MaxBytes = 1L << 30;

    private readonly IDiskFile _file;
    private readonly uint _number;
    private readonly UInt128 _generation;
    private readonly FooterTrailer _trailer;
    private GroupId[] _firstGroups = [];
    private StripeId[] _firstStripes = [];
    private GroupId[] _groups = [];

    private VolumeFooter(IDiskFile file, uint number, UInt128 generation, in FooterTrailer trailer)
    {
        _file = file;
        _number = number;
        _generation = generation;
        _trailer = trailer;
    }

    internal FooterTrailer Trailer => _trailer;

    /// <summary>What the memory keeps of it.</summary>
    internal long MemoryBytes =>
        ((long)_firstStripes.Length * Id128.Bytes) + ((_firstGroups.Length + _groups.Length) * sizeof(uint));

    /// <summary>Whether a footer can be read at once, so that there may be one.</summary>
    internal static bool Fits(in FooterTrailer trailer) => trailer.Bytes <= MaxBytes;

    /// <summary>Lays a footer out; null when it would be beyond what is read at once.</summary>
    /// <param name="shards">In the order of footers.</param>
    internal static byte[]? Lay(
        UInt128 generation, in FooterTrailer trailer, IEnumerable<HeldShard> shards, List<KeptRecord> kept)
    {
        if (!Fits(trailer))
        {
            return null;
        }

        byte[] bytes = new byte[trailer.Bytes];
        Lay(bytes, generation, trailer, shards, kept);
        return bytes;
    }

    /// <summary>Lays a footer out.</summary>
    /// <param name="target">As long as the trailer says.</param>
    /// <param name="shards">In the order of footers.</param>
    internal static void Lay(
        Span<byte> target,
        UInt128 generation,
        in FooterTrailer trailer,
        IEnumerable<HeldShard> shards,
        List<KeptRecord> kept)
    {
        target.Clear();
        int count = 0;
        foreach (HeldShard shard in shards)
        {
            (int block, int index) = Math.DivRem(count++, FooterFormat.ShardsPerBlock);
            FooterFormat.WriteShard(
                target[((block * FooterFormat.BlockBytes) + (index * FooterFormat.ShardBytes))..], shard);
        }

        LayKept(target[(trailer.ShardBlocks * FooterFormat.BlockBytes)..], trailer.KeptBytes, kept);
        FooterFormat.WriteTrailer(target[^FooterFormat.BlockBytes..], trailer);
        for (int at = 0; at < target.Length; at += FooterFormat.BlockBytes)
        {
            FooterFormat.Complete(
                target.Slice(at, FooterFormat.BlockBytes),
                KindOf(trailer, at / FooterFormat.BlockBytes),
                trailer.Start + at,
                trailer.Start,
                trailer.RecordsEnd,
                generation);
        }
    }

    /// <summary>The footer of a volume of this length, by its last block alone; null when there is none that
    /// is good.</summary>
    /// <exception cref="OsException">The block could not be read.</exception>
    /// <exception cref="ZeroStorException">Corrupt: of a format that this version does not know.</exception>
    internal static VolumeFooter? TryOpen(IDiskFile file, uint number, UInt128 generation, long length)
    {
        long at = length - FooterFormat.BlockBytes;
        if (at < Volume.HeaderBytes || at % FooterFormat.BlockBytes != 0)
        {
            return null;
        }

        byte[] block = new byte[FooterFormat.BlockBytes];
        if (file.Read(block, at) < block.Length
            || !FooterFormat.IsGood(block, at, generation, out FooterBlockKind kind, out _)
            || kind != FooterBlockKind.Trailer)
        {
            return null;
        }

        FooterTrailer trailer = FooterFormat.ReadTrailer(block);
        return trailer.Start + trailer.Bytes == length && Fits(trailer)
            ? new VolumeFooter(file, number, generation, trailer)
            : null;
    }

    /// <summary>The footer that was just written.</summary>
    internal static VolumeFooter Of(Volume volume, in FooterTrailer trailer, ReadOnlySpan<byte> bytes)
    {
        var footer = new VolumeFooter(volume.File, volume.Number, volume.Generation, trailer);
        footer.Learn(bytes);
        return footer;
    }

    /// <summary>Reads all shards in one go, checks every block, and learns what the memory keeps. The shards
    /// are told in pages, in a list that is used again.</summary>
    /// <returns>Null when a block is bad.</returns>
    /// <exception cref="OsException">It could not be read.</exception>
    internal IEnumerable<List<HeldShard>>? ReadAll()
    {
        byte[] bytes = new byte[_trailer.ShardBlocks * FooterFormat.BlockBytes];
        if (!TryReadBlocks(bytes, 0))
        {
            return null;
        }

        Learn(bytes);
        return Pages(bytes);
    }

    /// <summary>What is no shard; null when a block is bad.</summary>
    /// <exception cref="OsException">It could not be read.</exception>
    internal List<KeptRecord>? ReadKept()
    {
        byte[] blocks = new byte[_trailer.KeptBlocks * FooterFormat.BlockBytes];
        if (!TryReadBlocks(blocks, _trailer.ShardBlocks))
        {
            return null;
        }

        byte[] kept = new byte[_trailer.KeptBlocks * FooterFormat.AreaBytes];
        for (int i = 0; i < _trailer.KeptBlocks; i++)
        {
            blocks.AsSpan(i * FooterFormat.BlockBytes, FooterFormat.AreaBytes)
                .CopyTo(kept.AsSpan(i * FooterFormat.AreaBytes));
        }

        return FooterFormat.ReadKept(kept.AsSpan(0, _trailer.KeptBytes), _number);
    }

    private void Learn(ReadOnlySpan<byte> shardBlocks)
    {
        int blocks = _trailer.ShardBlocks;
        _firstGroups = new GroupId[blocks];
        _firstStripes = new StripeId[blocks];
        var groups = new List<GroupId>();
        for (int i = 0; i < _trailer.Shards; i++)
        {
            HeldShard shard = ShardIn(shardBlocks, i);
            if (groups.Count == 0 || groups[^1] != shard.Group)
            {
                groups.Add(shard.Group);
            }

            if (i % FooterFormat.ShardsPerBlock == 0)
            {
                _firstGroups[i / FooterFormat.ShardsPerBlock] = shard.Group;
                _firstStripes[i / FooterFormat.ShardsPerBlock] = shard.Stripe;
            }
        }

        _groups = [.. groups];
    }

    internal bool HasGroup(GroupId group) => Array.BinarySearch(_groups, group) >= 0;

    internal int Blocks => _trailer.ShardBlocks;

    /// <summary>The block in which the first shard of a group behind a stripe lies, or would lie.</summary>
    internal int Seek(GroupId group, StripeId after)
    {
        int low = 0;
        int high = _firstGroups.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            int order = _firstGroups[middle].CompareTo(group);
            order = order != 0 ? order : _firstStripes[middle].CompareTo(after);
            (low, high) = order <= 0 ? (middle + 1, high) : (low, middle);
        }

        return Math.Max(0, low - 1);
    }

    /// <summary>Adds the shards of some blocks to a list; false, and nothing added, when one is bad.
    /// </summary>
    /// <exception cref="OsException">They could not be read.</exception>
    internal bool TryRead(int first, int count, List<HeldShard> into)
    {
        byte[] bytes = new byte[count * FooterFormat.BlockBytes];
        if (!TryReadBlocks(bytes, first))
        {
            return false;
        }

        int shards = Math.Min(
            count * FooterFormat.ShardsPerBlock, _trailer.Shards - (first * FooterFormat.ShardsPerBlock));
        for (int i = 0; i < shards; i++)
        {
            into.Add(ShardIn(bytes, i));
        }

        return true;
    }

    private static void LayKept(Span<byte> blocks, int keptBytes, List<KeptRecord> kept)
    {
        byte[] areas = new byte[keptBytes];
        int at = 0;
        foreach (KeptRecord record in kept)
        {
            FooterFormat.WriteKept(areas.AsSpan(at), record);
            at += FooterFormat.KeptBytes(record);
        }

        for (int from = 0; from < areas.Length; from += FooterFormat.AreaBytes)
        {
            areas.AsSpan(from, Math.Min(FooterFormat.AreaBytes, areas.Length - from)).CopyTo(blocks);
            blocks = blocks[FooterFormat.BlockBytes..];
        }
    }

    private static FooterBlockKind KindOf(in FooterTrailer trailer, int block) =>
        block < trailer.ShardBlocks ? FooterBlockKind.Shards
        : block < trailer.ShardBlocks + trailer.KeptBlocks ? FooterBlockKind.Kept
        : FooterBlockKind.Trailer;

    private IEnumerable<List<HeldShard>> Pages(byte[] bytes)
    {
        var page = new List<HeldShard>(FooterFormat.ShardsPerBlock);
        for (int i = 0; i < _trailer.Shards; i++)
        {
            page.Add(ShardIn(bytes, i));
            if (page.Count == FooterFormat.ShardsPerBlock || i == _trailer.Shards - 1)
            {
                yield return page;
                page.Clear();
            }
        }
    }

    private HeldShard ShardIn(ReadOnlySpan<byte> blocks, int index)
    {
        (int block, int inBlock) = Math.DivRem(index, FooterFormat.ShardsPerBlock);
        return FooterFormat.ReadShard(
            blocks[((block * FooterFormat.BlockBytes) + (inBlock * FooterFormat.ShardBytes))..], _number);
    }

    private bool TryReadBlocks(Span<byte> bytes, int first)
    {
        long start = _trailer.Start + ((long)first * FooterFormat.BlockBytes);
        if (_file.Read(bytes, start) < bytes.Length)
        {
            return false;
        }

        for (int at = 0; at < bytes.Length; at += FooterFormat.BlockBytes)
        {
            ReadOnlySpan<byte> block = bytes.Slice(at, FooterFormat.BlockBytes);
            if (!FooterFormat.IsGood(block, start + at, _generation, out FooterBlockKind kind, out _)
                || kind != KindOf(_trailer, first + (at / FooterFormat.BlockBytes)))
            {
                return false;
            }
        }

        return true;
    }
}
