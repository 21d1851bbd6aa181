using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace ZeroStor.CommandLine.Bench;

/// <summary>What one operation with one size and concurrency came to.</summary>
internal sealed record BenchLine
{
    private const double Mega = 1e6;
    private const double Giga = 1e9;

    // A first column for names, and then as wide as their heads or their largest numbers.
    private static readonly (string Head, int Width)[] Columns =
    [
        ("op", -12), ("size", 8), ("at once", 8), ("op/s", 10), ("MB/s", 9), ("p50 ms", 10), ("p99 ms", 10),
        ("silos' CPU-s/GB", 16), ("client's", 9), ("of limit", 9),
    ];

    public required BenchOp Op { get; init; }

    public required long SizeBytes { get; init; }

    public required int Concurrency { get; init; }

    /// <summary>How long each operation took, the shortest first; at least one.</summary>
    public required ImmutableArray<TimeSpan> Took { get; init; }

    /// <summary>From the begin of the first to the end of the last.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>What the silos' processes used meanwhile; null where one did not tell.</summary>
    public required TimeSpan? SilosProcessor { get; init; }

    public required TimeSpan ClientProcessor { get; init; }

    public required BenchLimit Limit { get; init; }

    public static string Head => string.Concat(Columns.Select(c => Pad(c.Head, c.Width))).TrimEnd();

    public double OpsPerSecond => Took.Length / Elapsed.TotalSeconds;

    public double BytesPerSecond => (double)Took.Length * SizeBytes / Elapsed.TotalSeconds;

    public double OfLimit => BytesPerSecond / Limit.BytesPerSecond;

    /// <summary>By the nearest rank.</summary>
    public TimeSpan Percentile(int percent) =>
        Took[(int)((((long)percent * Took.Length) + 99) / 100) - 1];

    public override string ToString()
    {
        string[] cells =
        [
            BenchPlan.NameOf(Op),
            BenchPlan.NameOf(SizeBytes),
            Concurrency.ToString(CultureInfo.InvariantCulture),
            Number(OpsPerSecond),
            Number(BytesPerSecond / Mega),
            Number(Percentile(50).TotalMilliseconds),
            Number(Percentile(99).TotalMilliseconds),
            PerGiga(SilosProcessor) is { } silos ? Number(silos) : "?",
            Number(PerGiga(ClientProcessor)!.Value),
            OfLimit.ToString("0.000", CultureInfo.InvariantCulture),
        ];
        return string.Concat(cells.Zip(Columns, (cell, column) => Pad(cell, column.Width)));
    }

    public static void Write(Utf8JsonWriter w, BenchLine line)
    {
        w.WriteString("op", BenchPlan.NameOf(line.Op));
        w.WriteNumber("sizeBytes", line.SizeBytes);
        w.WriteNumber("concurrency", line.Concurrency);
        w.WriteNumber("operations", line.Took.Length);
        w.WriteNumber("seconds", line.Elapsed.TotalSeconds);
        w.WriteNumber("opsPerSecond", line.OpsPerSecond);
        w.WriteNumber("bytesPerSecond", line.BytesPerSecond);
        w.WriteNumber("p50Milliseconds", line.Percentile(50).TotalMilliseconds);
        w.WriteNumber("p99Milliseconds", line.Percentile(99).TotalMilliseconds);
        if (line.PerGiga(line.SilosProcessor) is { } silos)
        {
            w.WriteNumber("siloCpuSecondsPerGB", silos);
        }
        else
        {
            w.WriteNull("siloCpuSecondsPerGB");
        }

        w.WriteNumber("clientCpuSecondsPerGB", line.PerGiga(line.ClientProcessor)!.Value);
        w.WriteNumber("limitBytesPerSecond", line.Limit.BytesPerSecond);
        w.WriteString("limitedBy", line.Limit.By);
        w.WriteNumber("ofLimit", line.OfLimit);
    }

    private double? PerGiga(TimeSpan? processor) =>
        processor?.TotalSeconds / ((double)Took.Length * SizeBytes / Giga);

    // Three digits at least, and no more behind the point than they say.
    private static string Number(double value) => value.ToString(
        value switch
        {
            >= 100 => "0",
            >= 10 => "0.0",
            _ => "0.00",
        },
        CultureInfo.InvariantCulture);

    private static string Pad(string text, int width) =>
        width < 0 ? text.PadRight(-width) : text.PadLeft(width);
}
