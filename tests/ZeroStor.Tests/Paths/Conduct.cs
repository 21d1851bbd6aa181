namespace ZeroStor.Tests.Paths;

/// <summary>What a home does to those who ask it.</summary>
internal enum Conduct
{
    Honest,

    /// <summary>Answers at once that it is not there.</summary>
    Offline,

    /// <summary>Never answers.</summary>
    Silent,

    /// <summary>Answers with bytes of its own.</summary>
    Lying,

    /// <summary>Answers with bytes of its own, and states their sum: a lie that is well formed.</summary>
    Vouching,

    /// <summary>States another digest than the stripe's, in listings and headers.</summary>
    Forging,

    /// <summary>States another vault than the stripe's, with the right shard and sums.</summary>
    Misnaming,

    Full,

    /// <summary>Knows an older map than everybody else: refuses each append for its epoch.</summary>
    Behind,
}

internal static class Lies
{
    /// <summary>Makes of a shard's bytes, or of a part of them, those that this conduct gives.</summary>
    internal static void Twist(this Conduct conduct, Span<byte> payload)
    {
        if (conduct == Conduct.Lying && payload.Length > 0)
        {
            payload[payload.Length / 2] ^= 0x55;
        }
        else if (conduct == Conduct.Vouching)
        {
            foreach (ref byte b in payload)
            {
                b ^= 0x55;
            }
        }
    }

    /// <summary>The header that this conduct states for a shard with this true header and payload.</summary>
    internal static ShardHeader Stated(this Conduct conduct, ShardHeader header, ReadOnlySpan<byte> payload)
    {
        switch (conduct)
        {
            case Conduct.Forging:
                return header with { SumsDigest = new Sum128(header.SumsDigest.High ^ 1, 7) };
            case Conduct.Misnaming:
                return header with { Vault = new VaultId(99) };
            case Conduct.Vouching:
                byte[] twisted = payload.ToArray();
                conduct.Twist(twisted);
                return header with { ShardSum = Sum128.Of(twisted) };
            default:
                return header;
        }
    }
}
