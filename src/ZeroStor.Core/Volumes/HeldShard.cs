namespace ZeroStor.Volumes;

/// <summary>What a disk knows of a shard that it holds, without reading its record: where it lies, and what
/// digests and lists say of it.</summary>
internal readonly record struct HeldShard
{
    internal required StripeId Stripe { get; init; }

    internal required byte Place { get; init; }

    internal GroupId Group { get; init; }

    internal ContentId Content { get; init; }

    internal Sum128 SumsDigest { get; init; }

    internal required RecordPosition Position { get; init; }

    /// <summary>0 where only the finder was asked: then the record itself must say whose it is.</summary>
    internal int RecordBytes { get; init; }

    /// <summary>Found damaged: still where it is, but no longer counted as held.</summary>
    internal bool IsBad { get; init; }

    internal bool IsGuess => RecordBytes == 0;

    internal ShardName Name => new(Stripe, Place);

    internal ShardEntry Entry => new(Stripe, Place, Content, SumsDigest, Group);

    internal static HeldShard Of(in RecordHeader header, RecordPosition at) => new()
    {
        Stripe = header.Stripe,
        Place = header.Place,
        Group = header.Group,
        Content = header.Content,
        SumsDigest = header.SumsDigest,
        Position = at,
        RecordBytes = header.RecordBytes,
    };

    internal static HeldShard Of(ShardHeader shard, RecordPosition at, int recordBytes) => new()
    {
        Stripe = shard.Stripe,
        Place = shard.Place,
        Group = shard.Group,
        Content = shard.Content,
        SumsDigest = shard.SumsDigest,
        Position = at,
        RecordBytes = recordBytes,
    };

    internal bool Is(StripeId stripe, byte place) => Stripe == stripe && Place == place;

    /// <summary>The order of footers: by group, stripe and place.</summary>
    internal int CompareNames(in HeldShard other)
    {
        int order = Group.CompareTo(other.Group);
        order = order != 0 ? order : Stripe.CompareTo(other.Stripe);
        return order != 0 ? order : Place.CompareTo(other.Place);
    }
}
