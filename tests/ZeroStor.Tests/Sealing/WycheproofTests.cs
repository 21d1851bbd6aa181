using System.Security.Cryptography;
using System.Text.Json;
using Org.BouncyCastle.Math.EC.Rfc7748;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

/// <summary>The primitives that come from libraries, against Project Wycheproof (tests/vectors/wycheproof).</summary>
public sealed class WycheproofTests
{
    [Fact]
    public void Aes_gcm_seals_as_published_and_opens_nothing_that_was_changed()
    {
        foreach (JsonElement test in Tests("aes_gcm"))
        {
            using var cipher = new AesGcm(Hex(test, "key"), Secret.TagBytes);
            byte[] message = Hex(test, "msg");
            byte[] opened = new byte[message.Length];
            if (IsValid(test))
            {
                byte[] sealedBytes = new byte[message.Length];
                byte[] tag = new byte[Secret.TagBytes];
                cipher.Encrypt(Hex(test, "iv"), message, sealedBytes, tag, Hex(test, "aad"));
                AssertSame(test, "ct", sealedBytes);
                AssertSame(test, "tag", tag);
                cipher.Decrypt(Hex(test, "iv"), sealedBytes, tag, opened, Hex(test, "aad"));
                AssertSame(test, "msg", opened);
            }
            else
            {
                Assert.Throws<AuthenticationTagMismatchException>(() => cipher.Decrypt(
                    Hex(test, "iv"), Hex(test, "ct"), Hex(test, "tag"), opened, Hex(test, "aad")));
            }
        }
    }

    [Fact]
    public void Hkdf_derives_as_published()
    {
        foreach (JsonElement test in Tests("hkdf_sha256"))
        {
            byte[] derived = new byte[test.GetProperty("size").GetInt32()];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, Hex(test, "ikm"), derived, Hex(test, "salt"), Hex(test, "info"));
            AssertSame(test, "okm", derived);
        }
    }

    [Fact]
    public void X25519_agrees_as_published()
    {
        foreach (JsonElement test in Tests("x25519"))
        {
            byte[] shared = new byte[X25519.PointSize];
            X25519.ScalarMult(Hex(test, "private"), Hex(test, "public"), shared);
            AssertSame(test, "shared", shared);
        }
    }

    [Theory]
    [InlineData("mlkem_768")]
    [InlineData("mlkem_1024")]
    public void Ml_kem_makes_keys_and_decapsulates_as_published(string file)
    {
        MlKemSet set = SetOf(file);
        int checkedTests = 0;
        foreach (JsonElement test in Tests(file))
        {
            byte[] seed = Hex(test, "seed");
            byte[] ciphertext = Hex(test, "c");
            if (seed.Length != MlKemSet.SeedBytes || ciphertext.Length != set.CiphertextBytes)
            {
                // Lengths are the callers' to check; see HybridKemTests.
                Assert.False(IsValid(test));
                continue;
            }

            foreach (MlKem library in MlKem.All)
            {
                byte[] publicKey = new byte[set.PublicKeyBytes];
                library.PublicKeyOf(set, seed, publicKey);
                AssertSame(test, "ek", publicKey);
                byte[] secret = new byte[MlKemSet.SecretBytes];
                library.Decapsulate(set, seed, ciphertext, secret);
                AssertSame(test, "K", secret);
                checkedTests++;
            }
        }

        Assert.True(checkedTests > 10);
    }

    [Theory]
    [InlineData("mlkem_768_encaps")]
    [InlineData("mlkem_1024_encaps")]
    public void Ml_kem_encapsulates_as_published_and_refuses_what_is_no_key(string file)
    {
        MlKemSet set = SetOf(file);
        foreach (JsonElement test in Tests(file))
        {
            byte[] publicKey = Hex(test, "ek");
            foreach (MlKem library in MlKem.All)
            {
                byte[] ciphertext = new byte[set.CiphertextBytes];
                byte[] secret = new byte[MlKemSet.SecretBytes];
                var drawn = new GivenEntropy(Hex(test, "m"));
                if (!IsValid(test))
                {
                    SealingRig.AssertRefused(
                        ErrorKind.Corrupt, () => library.Encapsulate(set, publicKey, drawn, ciphertext, secret));
                    continue;
                }

                library.Encapsulate(set, publicKey, drawn, ciphertext, secret);
                if (drawn.IsSpent)
                {
                    AssertSame(test, "c", ciphertext);
                    AssertSame(test, "K", secret);
                }
            }
        }
    }

    private static MlKemSet SetOf(string file) =>
        file.Contains("1024", StringComparison.Ordinal) ? MlKemSet.MlKem1024 : MlKemSet.MlKem768;

    private static bool IsValid(JsonElement test) => test.GetProperty("result").GetString() != "invalid";

    private static byte[] Hex(JsonElement test, string name) =>
        Convert.FromHexString(test.GetProperty(name).GetString()!);

    private static void AssertSame(JsonElement test, string name, byte[] actual) =>
        Assert.True(
            Hex(test, name).AsSpan().SequenceEqual(actual),
            $"test {test.GetProperty("tcId").GetInt32()}: {name} differs");

    private static JsonElement[] Tests(string file)
    {
        using var document = JsonDocument.Parse(
            File.ReadAllBytes(Checkout.PathOf("tests", "vectors", "wycheproof", file + ".json")));
        JsonElement[] tests = [.. document.RootElement.Clone().GetProperty("tests").EnumerateArray()];
        Assert.NotEmpty(tests);
        return tests;
    }
}

/// <summary>Gives exactly these bytes, once.</summary>
internal sealed class GivenEntropy(byte[] bytes) : IEntropy
{
    private int _at;

    public bool IsSpent => _at == bytes.Length;

    public void Fill(Span<byte> target)
    {
        bytes.AsSpan(_at, target.Length).CopyTo(target);
        _at += target.Length;
    }
}
