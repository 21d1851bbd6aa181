using System.Globalization;

namespace ZeroStor;

/// <summary>An erasure code k+m: k data shards and m parity shards, any k of which give the stripe back.
/// 1 ≤ k ≤ 128, 1 ≤ m ≤ 32, so n = k+m ≤ 160 and every place fits a byte.</summary>
public readonly record struct Code
{
    /// <summary>Beyond this a read gathers from too many homes to be fast; GF(2^8) itself would allow
    /// 254.</summary>
    public const int MaxK = 128;

    public const int MaxM = 32;

    /// <summary>20 % over the data for any four places lost.</summary>
    public static readonly Code Default = new(20, 4);

    public Code(int k, int m)
    {
        if (k is < 1 or > MaxK || m is < 1 or > MaxM)
        {
            throw ZeroStorException.Invalid(
                $"code {k}+{m} is outside what ZeroStor codes: k from 1 to {MaxK}, m from 1 to {MaxM}");
        }

        K = k;
        M = m;
    }

    /// <summary>Data shards of a stripe.</summary>
    public int K { get; }

    /// <summary>Parity shards of a stripe: how many places may be lost.</summary>
    public int M { get; }

    /// <summary>Shards of a stripe.</summary>
    public int N => K + M;

    /// <summary>The fewest shards that must be durable before a stripe is acknowledged, where a vault says
    /// nothing else: half of the parity may be missing, never all of it.</summary>
    public int DefaultWriteFloor => K + ((M + 1) / 2);

    /// <summary>Reads <c>20+4</c>.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument, with what a code looks like.</exception>
    public static Code Parse(string text)
    {
        string[] parts = text.Split('+');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int k)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int m)
                ? new Code(k, m)
                : throw ZeroStorException.Invalid(
                    $"'{text}' is not a code: write K+M, as in 20+4 (20 data shards, any 4 may be lost)");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{K}+{M}");
}
