using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine.Bench;

/// <summary>What a run tells beside its lines: limits, and all of it as JSON.</summary>
internal static class BenchReport
{
    /// <summary>What this machine's processors can do to stripes as objects of this size have.</summary>
    public static string LimitsOf(
        BenchLimits limits, ImmutableArray<BenchOp> ops, long sizeBytes, CancellationToken cancel) =>
        $"limit {BenchPlan.NameOf(sizeBytes)}: " + string.Join(", ", ops.Select(
            op => $"{CodingLimit.NameOf(op)} {MegaBytes(limits.Coding(op, sizeBytes, cancel))}"));

    /// <summary>What the disks take of content.</summary>
    public static string DisksOf(BenchLimits limits) => limits.DiskBytesPerSecond is { } bytes
        ? $"limit disks: synced direct writes of 1 MiB to all at once, {MegaBytes(bytes)} of content"
        : $"limit disks: not measured, because {limits.WhyNoDisks}; puts are held against seal+code alone";

    public static void Write(
        Utf8JsonWriter w,
        VaultInfo vault,
        BenchPlan plan,
        BenchLimits limits,
        ImmutableArray<BenchLine> lines,
        CancellationToken cancel)
    {
        w.WriteString("vault", vault.Name);
        w.WriteString("code", vault.Code.ToString());
        w.WriteNumber("secondsPerLine", plan.Time.TotalSeconds);
        w.WriteNumber("processors", Environment.ProcessorCount);
        w.WriteStartObject("limits");
        w.WriteObjects(
            "coding",
            from size in plan.SizesBytes from op in plan.Ops select (Size: size, Op: op),
            (inner, of) =>
            {
                inner.WriteString("op", BenchPlan.NameOf(of.Op));
                inner.WriteNumber("sizeBytes", of.Size);
                inner.WriteNumber("bytesPerSecond", limits.Coding(of.Op, of.Size, cancel));
            });
        if (limits.DiskBytesPerSecond is { } bytes)
        {
            w.WriteNumber("diskBytesPerSecond", bytes);
        }
        else
        {
            w.WriteNull("diskBytesPerSecond");
        }

        w.WriteString("whyNoDisks", limits.WhyNoDisks);
        w.WriteEndObject();
        w.WriteObjects("lines", lines, BenchLine.Write);
    }

    private static string MegaBytes(double bytesPerSecond) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytesPerSecond / 1e6:0} MB/s");
}
