namespace ZeroStor.Load;

/// <summary>How large objects are: log-normal as files are, from 1 KiB to 64 MiB; or all alike.</summary>
/// <param name="FixedBytes">The size of all; 0: log-normal.</param>
internal readonly record struct Sizes(long FixedBytes)
{
    private const long LeastBytes = 1024;
    private const long MostBytes = 64L * 1024 * 1024;

    // Half are smaller than the median; with this spread ten thousand of them are about 4 GiB.
    private const double MedianBytes = 60 * 1024;
    private const double Sigma = 2;

    public long Next(Random random)
    {
        if (FixedBytes > 0)
        {
            return FixedBytes;
        }

        // Box and Muller 1958.
        double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (long)Math.Clamp(MedianBytes * Math.Exp(Sigma * normal), LeastBytes, MostBytes);
    }
}
