using System.Text.Json;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class HybridKemTests
{
    private static readonly SeededEntropy Entropy = new(31);

    public static TheoryData<string> Suites => [.. HybridKem.All.Select(k => k.Name)];

    [Fact]
    public void Xwing_passes_the_vectors_of_its_draft()
    {
        using var vectors = JsonDocument.Parse(
            File.ReadAllBytes(Checkout.PathOf("tests", "vectors", "sealing", "xwing.json")));
        Assert.Equal(3, vectors.RootElement.GetArrayLength());
        foreach (JsonElement vector in vectors.RootElement.EnumerateArray())
        {
            byte[] Of(string name) => Convert.FromHexString(vector.GetProperty(name).GetString()!);
            foreach (HybridKem kem in MlKem.All.Select(HybridKem.XWing.With))
            {
                byte[] publicKey = new byte[kem.PublicKeyBytes];
                kem.PublicKeyOf(Of("sk"), publicKey);
                Assert.Equal(Of("pk"), publicKey);
                byte[] secret = new byte[HybridKem.SecretBytes];
                kem.Decapsulate(Of("sk"), Of("ct"), secret);
                Assert.Equal(Of("ss"), secret);
                byte[] ciphertext = new byte[kem.CiphertextBytes];
                var drawn = new GivenEntropy(Of("eseed"));
                kem.Encapsulate(publicKey, drawn, ciphertext, secret);
                if (drawn.IsSpent)
                {
                    Assert.Equal(Of("ct"), ciphertext);
                    Assert.Equal(Of("ss"), secret);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_one_library_encapsulates_every_other_opens(string suite)
    {
        HybridKem kem = HybridKem.Find(suite)!;
        foreach (HybridKem one in MlKem.All.Select(kem.With))
        {
            foreach (HybridKem other in MlKem.All.Select(kem.With))
            {
                (byte[] seed, byte[] publicKey) = Pair(one);
                (byte[] ciphertext, byte[] secret) = Encapsulate(one, publicKey);
                Assert.Equal(secret, Decapsulate(other, seed, ciphertext));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_changed_ciphertext_another_key_and_another_suite_carry_another_secret(string suite)
    {
        HybridKem kem = HybridKem.Find(suite)!;
        (byte[] seed, byte[] publicKey) = Pair(kem);
        (byte[] ciphertext, byte[] secret) = Encapsulate(kem, publicKey);

        // A bit of each byte of the point, and of every 29th of the lattice's part.
        for (int at = 0; at < ciphertext.Length; at += at < ciphertext.Length - 32 ? 29 : 1)
        {
            byte[] changed = [.. ciphertext];
            changed[at] ^= (byte)(1 << (at % 8));
            Assert.NotEqual(secret, Decapsulate(kem, seed, changed));
        }

        (byte[] otherSeed, _) = Pair(kem);
        Assert.NotEqual(secret, Decapsulate(kem, otherSeed, ciphertext));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_weak_point_is_refused_in_keys_and_ciphertexts(string suite)
    {
        HybridKem kem = HybridKem.Find(suite)!;
        (byte[] seed, byte[] publicKey) = Pair(kem);
        (byte[] ciphertext, _) = Encapsulate(kem, publicKey);
        ciphertext.AsSpan(ciphertext.Length - 32).Clear();
        publicKey.AsSpan(publicKey.Length - 32).Clear();
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Decapsulate(kem, seed, ciphertext));
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Encapsulate(kem, publicKey));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Lengths_are_the_suites_own(string suite)
    {
        HybridKem kem = HybridKem.Find(suite)!;
        (byte[] seed, byte[] publicKey) = Pair(kem);
        (byte[] ciphertext, _) = Encapsulate(kem, publicKey);
        Assert.Throws<ArgumentException>(() => Decapsulate(kem, seed[1..], ciphertext));
        Assert.Throws<ArgumentException>(() => Decapsulate(kem, seed, ciphertext[1..]));
        Assert.Throws<ArgumentException>(() => Encapsulate(kem, publicKey[1..]));
        Assert.Throws<ArgumentException>(() => kem.PublicKeyOf(seed, new byte[kem.PublicKeyBytes + 1]));
    }

    [Fact]
    public void Suites_are_found_by_number_and_name_and_no_others()
    {
        Assert.Equal([2, 3], HybridKem.All.Select(k => (int)k.Suite));
        Assert.All(HybridKem.All, k => Assert.Same(k, HybridKem.Find(k.Suite)));
        Assert.Null(HybridKem.Find(1));
        Assert.Null(HybridKem.Find("x-wing"));
        Assert.Equal((1216, 1120), (HybridKem.XWing.PublicKeyBytes, HybridKem.XWing.CiphertextBytes));
        Assert.Equal((1600, 1600), (HybridKem.XWing1024.PublicKeyBytes, HybridKem.XWing1024.CiphertextBytes));
    }

    private static (byte[] Seed, byte[] PublicKey) Pair(HybridKem kem)
    {
        byte[] seed = SealingRig.Bytes(Entropy, HybridKem.SeedBytes);
        byte[] publicKey = new byte[kem.PublicKeyBytes];
        kem.PublicKeyOf(seed, publicKey);
        return (seed, publicKey);
    }

    private static (byte[] Ciphertext, byte[] Secret) Encapsulate(HybridKem kem, byte[] publicKey)
    {
        byte[] ciphertext = new byte[kem.CiphertextBytes];
        byte[] secret = new byte[HybridKem.SecretBytes];
        kem.Encapsulate(publicKey, Entropy, ciphertext, secret);
        return (ciphertext, secret);
    }

    private static byte[] Decapsulate(HybridKem kem, byte[] seed, byte[] ciphertext)
    {
        byte[] secret = new byte[HybridKem.SecretBytes];
        kem.Decapsulate(seed, ciphertext, secret);
        return secret;
    }
}
