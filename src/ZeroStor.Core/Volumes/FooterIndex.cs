using System.IO.Hashing;

namespace ZeroStor.Volumes;

/// <summary>What a footer lists, in the order of offsets and in 16 bytes each, so that records can be held
/// against it as they are met. Not thread-safe.</summary>
internal sealed class FooterIndex
{
    private readonly (uint At, ulong Hash)[] _listed;
    private int _next;

    private FooterIndex((uint At, ulong Hash)[] listed)
    {
        _listed = listed;
        Array.Sort(_listed);
    }

    /// <summary>Listed, and no record or another one there.</summary>
    internal long Wrong { get; private set; }

    /// <summary>Null when a block of the footer is bad.</summary>
    /// <exception cref="OsException">It could not be read.</exception>
    internal static FooterIndex? Of(VolumeFooter footer)
    {
        if (footer.ReadAll() is not { } pages || footer.ReadKept() is not { } kept)
        {
            return null;
        }

        var listed = new List<(uint, ulong)>(footer.Trailer.Shards + kept.Count);
        listed.AddRange(pages.SelectMany(p => p).Select(s => ((uint)s.Position.Packed, HashOf(s))));
        listed.AddRange(kept.Select(k => ((uint)k.Position.Packed, HashOf(k))));
        return new FooterIndex([.. listed]);
    }

    /// <summary>There is a good record. Not all records need be listed: those that were dead are
    /// not.</summary>
    internal void Meet(in ScannedRecord record)
    {
        var at = (uint)record.At.Packed;
        PassTo(at);
        for (; _next < _listed.Length && _listed[_next].At == at; _next++)
        {
            Wrong += _listed[_next].Hash == HashOf(record) ? 0 : 1;
        }
    }

    /// <summary>Between two offsets there is no telling what was there.</summary>
    internal void Skip(long from, long to)
    {
        PassTo((uint)(from / RecordFormat.AlignmentBytes));
        while (_next < _listed.Length && _listed[_next].At < to / RecordFormat.AlignmentBytes)
        {
            _next++;
        }
    }

    internal void End() => PassTo(uint.MaxValue);

    private void PassTo(uint at)
    {
        for (; _next < _listed.Length && _listed[_next].At < at; _next++)
        {
            Wrong++;
        }
    }

    private static ulong HashOf(in ScannedRecord record) => record.Header.Kind switch
    {
        RecordKind.Shard => HashOf(HeldShard.Of(record.Header, record.At)),
        RecordKind.Delete => HashOf(new KeptRecord(record.At, record.Header.RecordBytes)
        {
            Scope = record.Header.Scope,
            Until = record.Header.Until,
        }),
        _ => HashOf(new KeptRecord(record.At, record.Header.RecordBytes)),
    };

    // Whether it was found damaged before is the footer's own word.
    private static ulong HashOf(in HeldShard shard)
    {
        Span<byte> bytes = stackalloc byte[FooterFormat.ShardBytes];
        bytes.Clear();
        FooterFormat.WriteShard(bytes, shard with { IsBad = false });
        return XxHash3.HashToUInt64(bytes);
    }

    // Volumes that a delete names are its payload's, which has a sum.
    private static ulong HashOf(KeptRecord kept)
    {
        KeptRecord bare = kept with { DeleteTargets = null };
        byte[] bytes = new byte[FooterFormat.KeptBytes(bare)];
        FooterFormat.WriteKept(bytes, bare);
        return XxHash3.HashToUInt64(bytes);
    }
}
