namespace ZeroStor;

/// <summary>The failure domain over which the shards of a stripe are spread: losing one whole domain loses at
/// most m of its shards.</summary>
public enum Spread
{
    Disk = 0,
    Silo = 1,
    Rack = 2,
    Site = 3,
    Region = 4,
}

/// <summary>Whether content is compressed before it is sealed.</summary>
public enum Compression
{
    /// <summary>Each segment where that pays, as a sample of it shows.</summary>
    Auto = 0,

    /// <summary>Never: sealed bytes are as many as the content says, and tell nothing else of it.</summary>
    Off = 1,
}

/// <summary>Where a silo stands.</summary>
public readonly record struct Labels(string Region, string Site, string Rack)
{
    public static readonly Labels None = new("", "", "");

    public override string ToString() => $"{Region}/{Site}/{Rack}";
}

/// <summary>What a vault asks of the fabric. Never relaxed: where it cannot be met a write is
/// refused.</summary>
public sealed record Policy
{
    public required Code Code { get; init; }

    public Spread Spread { get; init; } = Spread.Disk;

    /// <summary>Shards that must be durable before a stripe is acknowledged: k+1 to n.</summary>
    public required int WriteFloor { get; init; }

    public static Policy Of(Code code, Spread spread = Spread.Disk) =>
        new() { Code = code, Spread = spread, WriteFloor = code.DefaultWriteFloor };
}
