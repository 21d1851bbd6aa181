namespace ZeroStor.CommandLine.Bench;

/// <summary>What a line cannot exceed, and by what.</summary>
internal sealed record BenchLimit(double BytesPerSecond, string By);

/// <summary>The limits of a run, each measured when it is asked for first: what all processors can do to
/// stripes of a size, and for puts also what the disks take. In bytes of content.</summary>
internal sealed class BenchLimits(Code code, DiskLimit disks, TimeSpan time)
{
    private readonly Dictionary<(BenchOp Op, int StripeBytes), double> _coding = [];

    /// <summary>What the disks take, in bytes of content; null where it could not be measured.</summary>
    public double? DiskBytesPerSecond => disks.BytesPerSecond * code.K / code.N;

    public string WhyNoDisks => disks.WhyNot;

    public BenchLimit Of(BenchOp op, long sizeBytes, CancellationToken cancel)
    {
        var coding = new BenchLimit(Coding(op, sizeBytes, cancel), CodingLimit.NameOf(op));
        return op == BenchOp.Put && DiskBytesPerSecond is { } bytes && bytes < coding.BytesPerSecond
            ? new BenchLimit(bytes, "disks")
            : coding;
    }

    /// <summary>Content bytes a second that all processors seal and code, or open, of stripes as objects of
    /// this size have.</summary>
    public double Coding(BenchOp op, long sizeBytes, CancellationToken cancel)
    {
        int stripeBytes = (int)Math.Min(sizeBytes, Geometry.StripeBytes(code));
        if (!_coding.TryGetValue((op, stripeBytes), out double known))
        {
            _coding[(op, stripeBytes)] = known = CodingLimit.Measure(op, code, stripeBytes, time, cancel);
        }

        return known;
    }
}
