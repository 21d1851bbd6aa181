using ZeroStor.Erasure;

namespace ZeroStor.Paths;

/// <summary>What a repair came to.</summary>
/// <param name="Stripes">Stripes that were looked at.</param>
/// <param name="ShardsRebuilt">Shards decoded from others and stored at their homes.</param>
/// <param name="ShardsCopied">Shards brought to their homes from another holder.</param>
/// <param name="ShardsLeft">Shards that still are not at their homes: too few good ones, or a home that is
/// absent or takes none. 0 says that all homes hold all that anybody who answered holds.</param>
/// <param name="BytesRead">Shard bytes read.</param>
/// <param name="BytesWritten">Shard bytes stored.</param>
public readonly record struct RepairTally(
    long Stripes, long ShardsRebuilt, long ShardsCopied, long ShardsLeft, long BytesRead, long BytesWritten)
{
    internal PlaceSet PlacesLeft { get; init; }

    /// <summary>Shards read, whole. Among good ones never more than one for each that was copied and k for each
    /// that was rebuilt; those of one stripe share their k.</summary>
    public long ShardsRead { get; init; }

    /// <summary>Stripes that fewer than k places hold, though everybody answered: what a dead content left, or a
    /// placing that was given up; or a loss. A census tells which.</summary>
    public long Hopeless { get; init; }

    /// <summary>Shards brought to their homes.</summary>
    public long ShardsRestored => ShardsRebuilt + ShardsCopied;

    /// <summary>Whether the home of this place may lack a shard that somebody holds.</summary>
    public bool IsLeft(int place) => PlacesLeft.Contains(place);

    public static RepairTally operator +(RepairTally a, RepairTally b) => new(
        a.Stripes + b.Stripes,
        a.ShardsRebuilt + b.ShardsRebuilt,
        a.ShardsCopied + b.ShardsCopied,
        a.ShardsLeft + b.ShardsLeft,
        a.BytesRead + b.BytesRead,
        a.BytesWritten + b.BytesWritten)
    {
        PlacesLeft = a.PlacesLeft | b.PlacesLeft,
        ShardsRead = a.ShardsRead + b.ShardsRead,
        Hopeless = a.Hopeless + b.Hopeless,
    };
}
