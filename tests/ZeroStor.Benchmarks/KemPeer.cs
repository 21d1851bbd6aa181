using System.Text.Json;
using ZeroStor.Contracts;
using ZeroStor.Sealing;

namespace ZeroStor.Benchmarks;

/// <summary>One side of a comparison with another implementation of the hybrid key encapsulation: see
/// <c>tests/real/kem.sh</c>.</summary>
internal static class KemPeer
{
    internal static readonly Verb Verb = new(
        "kem",
        "[--make FILE] [--check FILE] [--count N]",
        """
        With --make writes N (1000) encapsulations of each suite as JSON, an array of {suite, seed, publicKey, ciphertext,
        secret} in hexadecimal. With --check reads such a file that another implementation made, and ends with an error
        unless every public key and every secret is the one that follows from the seed. tests/real/kem.sh does both.
        """,
        Run);

    private static void Run(Options options)
    {
        if (options.Text("--make", "") is { Length: > 0 } target)
        {
            File.WriteAllText(target, JsonSerializer.Serialize(Make(options.Number("--count", 1000))));
        }

        if (options.Text("--check", "") is { Length: > 0 } source)
        {
            Case[] cases = JsonSerializer.Deserialize<Case[]>(File.ReadAllText(source)) ?? [];
            foreach (Case one in cases)
            {
                Check(one);
            }

            Console.WriteLine($"{cases.Length} of another implementation: all opened, all public keys equal");
        }
    }

    private static List<Case> Make(int count)
    {
        var cases = new List<Case>();
        foreach (HybridKem kem in HybridKem.All)
        {
            for (int i = 0; i < count; i++)
            {
                byte[] seed = new byte[HybridKem.SeedBytes];
                byte[] publicKey = new byte[kem.PublicKeyBytes];
                byte[] ciphertext = new byte[kem.CiphertextBytes];
                byte[] secret = new byte[HybridKem.SecretBytes];
                SystemEntropy.Instance.Fill(seed);
                kem.PublicKeyOf(seed, publicKey);
                kem.Encapsulate(publicKey, SystemEntropy.Instance, ciphertext, secret);
                cases.Add(new Case(kem.Name, Hex(seed), Hex(publicKey), Hex(ciphertext), Hex(secret)));
            }
        }

        return cases;
    }

    private static void Check(Case one)
    {
        HybridKem kem = HybridKem.Find(one.Suite)
            ?? throw ZeroStorException.Invalid($"There is no suite '{one.Suite}'.");
        byte[] publicKey = new byte[kem.PublicKeyBytes];
        byte[] secret = new byte[HybridKem.SecretBytes];
        byte[] seed = Convert.FromHexString(one.Seed);
        kem.PublicKeyOf(seed, publicKey);
        kem.Decapsulate(seed, Convert.FromHexString(one.Ciphertext), secret);
        if (Hex(publicKey) != one.PublicKey || Hex(secret) != one.Secret)
        {
            throw ZeroStorException.Corrupt($"The other implementation of {kem} differs for seed {one.Seed}.");
        }
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private sealed record Case(string Suite, string Seed, string PublicKey, string Ciphertext, string Secret);
}
