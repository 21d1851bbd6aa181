using System.Security.Cryptography;

namespace ZeroStor.Contracts;

/// <summary>The operating system's randomness.</summary>
public sealed class SystemEntropy : IEntropy
{
    public static SystemEntropy Instance { get; } = new();

    public void Fill(Span<byte> target) => RandomNumberGenerator.Fill(target);
}
