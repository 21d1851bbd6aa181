using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace ZeroStor.Sealing;

/// <summary>A private key of a vault: the seed of a key pair.</summary>
internal sealed record PrivateKey(uint Generation, HybridKem Kem, Secret Seed)
{
    /// <summary>The public key that belongs to it: reckoned, never believed.</summary>
    public ImmutableArray<byte> PublicKey { get; } = Reckon(Kem, Seed);

    public override string ToString() => $"private key {Generation}";

    private static ImmutableArray<byte> Reckon(HybridKem kem, Secret seed)
    {
        byte[] publicKey = new byte[kem.PublicKeyBytes];
        Span<byte> bytes = stackalloc byte[HybridKem.SeedBytes];
        seed.CopyTo(bytes);
        try
        {
            kem.PublicKeyOf(bytes, publicKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(publicKey);
    }
}

/// <summary>The private keys of a vault, by generation. Under custody <c>fabric</c> the silos have them, from the key
/// ring and the master key; under custody <c>owner</c> nobody but the owner's key file. Zeroed when disposed.
/// Immutable but for that; thread-safe.</summary>
public sealed class PrivateKeys : IDisposable
{
    private readonly ImmutableArray<PrivateKey> _keys;

    internal PrivateKeys(VaultId vault, ImmutableArray<PrivateKey> keys) => (Vault, _keys) = (vault, keys);

    public VaultId Vault { get; }

    /// <summary>In rising order, at least one.</summary>
    public IEnumerable<uint> Generations => _keys.Select(k => k.Generation);

    internal PrivateKey Newest => _keys[^1];

    internal ImmutableArray<PrivateKey> All => _keys;

    /// <summary>A new vault's: one, fresh.</summary>
    /// <param name="vault">Whose.</param>
    /// <param name="suite">The name of the suite; null: the default.</param>
    /// <param name="entropy">Where it is drawn from.</param>
    /// <exception cref="ZeroStorException">InvalidArgument: no such suite.</exception>
    public static PrivateKeys Generate(VaultId vault, string? suite, IEntropy entropy) =>
        new(vault, [Draw(1, KemOf(suite), entropy)]);

    /// <summary>These and a fresh one, of the next generation. It shares what it has with this one: dispose the last
    /// of them.</summary>
    /// <param name="suite">Null: that of the newest.</param>
    /// <param name="entropy">Where it is drawn from.</param>
    public PrivateKeys WithNext(string? suite, IEntropy entropy) =>
        new(Vault, _keys.Add(Draw(
            checked(Newest.Generation + 1), suite is null ? Newest.Kem : KemOf(suite), entropy)));

    /// <summary>These without one that nothing needs any more. It shares, as above.</summary>
    public PrivateKeys Without(uint generation) =>
        generation == Newest.Generation
            ? throw ZeroStorException.Invalid($"Key {generation} of vault {Vault} is its newest: rotate first.")
            : new PrivateKeys(Vault, [.. _keys.Where(k => k.Generation != generation)]);

    public void Dispose()
    {
        foreach (PrivateKey key in _keys)
        {
            key.Seed.Dispose();
        }
    }

    public override string ToString() => $"private keys of vault {Vault}: {string.Join(", ", Generations)}";

    internal PrivateKey? Find(uint generation) => _keys.FirstOrDefault(k => k.Generation == generation);

    private static HybridKem KemOf(string? suite) =>
        suite is null
            ? HybridKem.XWing
            : HybridKem.Find(suite) ?? throw ZeroStorException.Invalid(
                $"There is no suite '{suite}': {string.Join(" and ", HybridKem.All)} are known.");

    private static PrivateKey Draw(uint generation, HybridKem kem, IEntropy entropy)
    {
        Span<byte> seed = stackalloc byte[HybridKem.SeedBytes];
        entropy.Fill(seed);
        try
        {
            return new PrivateKey(generation, kem, new Secret(seed, isLongLived: true));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }
}
