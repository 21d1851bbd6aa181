using System.Collections.Immutable;
using System.Globalization;

namespace ZeroStor.CommandLine.Bench;

/// <summary>What a line of the benchmark does, again and again.</summary>
internal enum BenchOp
{
    Put,
    Get,

    /// <summary>Get, while as many homes of each stripe as its code can lose are taken for absent.</summary>
    GetDegraded,
}

/// <summary>What <c>zs bench</c> was told to measure: each operation with each size and each
/// concurrency.</summary>
internal sealed record BenchPlan
{
    /// <summary>Each operation holds up to four stripes here, and a silo gives out as many slots.</summary>
    public const int MaxConcurrency = 256;

    /// <summary>Whoever puts more at once measures nothing that this does not show.</summary>
    public const long MaxSizeBytes = 16L * 1024 * 1024 * 1024;

    public const double MaxSeconds = 3600;

    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("B", 1),
    ];

    /// <summary>Bytes of the objects.</summary>
    public required ImmutableArray<long> SizesBytes { get; init; }

    /// <summary>How many operations are under way at once.</summary>
    public required ImmutableArray<int> Concurrencies { get; init; }

    /// <summary>In the order of <see cref="BenchOp"/>: what is put first is got afterwards.</summary>
    public required ImmutableArray<BenchOp> Ops { get; init; }

    /// <summary>How long each line goes on. What is under way then is ended and counted.</summary>
    public required TimeSpan Time { get; init; }

    /// <summary>Each line runs for so long before it is measured: what is compiled and connected at first use
    /// is then.</summary>
    public TimeSpan WarmUp => Time < MaxWarmUp ? Time : MaxWarmUp;

    /// <summary>How long each try of a limit goes on; the best of three counts.</summary>
    public TimeSpan LimitTime { get; init; } = TimeSpan.FromMilliseconds(400);

    private static TimeSpan MaxWarmUp { get; } = TimeSpan.FromSeconds(1);

    /// <exception cref="ZeroStorException">InvalidArgument, with what would be right.</exception>
    public static BenchPlan Parse(string sizes, string concurrency, string ops, double seconds) => new()
    {
        SizesBytes = Split(sizes, "--sizes", "4KiB,1MiB,64MiB", ParseSize),
        Concurrencies = Split(concurrency, "--concurrency", "1,8", ParseConcurrency),
        Ops = [.. Split(ops, "--ops", "put,get,get-degraded", ParseOp).Order()],
        Time = seconds is > 0 and <= MaxSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw ZeroStorException.Invalid(
                $"--seconds takes a number above 0 and up to {MaxSeconds}: how long each line is measured."),
    };

    public static string NameOf(BenchOp op) => op switch
    {
        BenchOp.Put => "put",
        BenchOp.Get => "get",
        _ => "get-degraded",
    };

    /// <summary>A size as it is written: the largest unit that it is a whole number of.</summary>
    public static string NameOf(long sizeBytes)
    {
        (string unit, long bytes) = Units.Where(u => sizeBytes % u.Bytes == 0).MaxBy(u => u.Bytes);
        return string.Create(CultureInfo.InvariantCulture, $"{sizeBytes / bytes}{unit}");
    }

    private static ImmutableArray<T> Split<T>(
        string list, string option, string example, Func<string, T> parse)
    {
        string[] parts = list.Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return parts.Length > 0
            ? [.. parts.Select(parse).Distinct()]
            : throw ZeroStorException.Invalid($"{option} names nothing: write a list such as {example}.");
    }

    private static long ParseSize(string text)
    {
        (string unit, long bytes) = Units.FirstOrDefault(
            u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase));
        string number = unit is null ? text : text[..^unit.Length];
        long each = Math.Max(1, bytes);
        bool isNumber = long.TryParse(
            number.TrimEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out long count);
        return isNumber && count > 0 && count <= MaxSizeBytes / each
            ? count * each
            : throw ZeroStorException.Invalid(
                $"'{text}' is not a size: write a whole number and B, KiB, MiB or GiB, as in 4KiB, from 1B "
                + $"to {NameOf(MaxSizeBytes)}.");
    }

    private static int ParseConcurrency(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
        && count is > 0 and <= MaxConcurrency
            ? count
            : throw ZeroStorException.Invalid(
                $"'{text}' is not a concurrency: write how many operations are under way at once, from 1 to "
                + $"{MaxConcurrency}.");

    private static BenchOp ParseOp(string text)
    {
        foreach (BenchOp op in Enum.GetValues<BenchOp>())
        {
            if (text == NameOf(op))
            {
                return op;
            }
        }

        throw ZeroStorException.Invalid(
            $"'{text}' is not an operation of the benchmark: write put, get or get-degraded.");
    }
}
