namespace ZeroStor.Tests;

/// <summary>Randomness that a seed replays. Thread-safe.</summary>
internal sealed class SeededEntropy(int seed) : IEntropy
{
    private readonly Random _random = new(seed);

    public void Fill(Span<byte> target)
    {
        lock (_random)
        {
            _random.NextBytes(target);
        }
    }
}
