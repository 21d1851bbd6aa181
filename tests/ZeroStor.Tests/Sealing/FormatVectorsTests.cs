using System.Security.Cryptography;
using System.Text;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

/// <summary>The formats against a second implementation of them (tests/vectors/sealing). Format 1 is frozen: these
/// vectors never change.</summary>
public sealed class FormatVectorsTests
{
    private const int Ordinal = 5;

    private static readonly Dictionary<string, byte[]> Vectors = File
        .ReadLines(Checkout.PathOf("tests", "vectors", "sealing", "format1.txt"))
        .Select(line => line.Split(' '))
        .ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1]));

    private static readonly VaultId Vault = new(Repeat(0x11));
    private static readonly ContentId Content = new(Repeat(0x22));
    private static readonly SealId Seal = new(Repeat(0x33));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private readonly MasterKey _master =
        MasterKey.FromBytes([.. Enumerable.Range(0xA0, MasterKey.Bytes).Select(i => (byte)i)]);

    [Fact]
    public void A_master_key_is_as_the_format_says()
    {
        Assert.Equal(Convert.ToHexStringLower(Vectors["master-id"]), _master.Id);
        Assert.Equal(Vectors["master-text"], MasterKeyText.Write(_master, [], new CountingEntropy()));
    }

    [Fact]
    public async Task Keys_ring_wrapped_key_manifest_and_stripes_are_as_the_format_says()
    {
        var entropy = new CountingEntropy();
        using PrivateKeys own = PrivateKeys.Generate(Vault, suite: null, entropy);
        Assert.Equal(Vectors["key-file"], PrivateKeysText.ToText(own));
        Assert.Equal(Vectors["recovery-key"], Encoding.ASCII.GetBytes(PrivateKeysText.ToRecoveryKey(own)));
        KeyRing ring = await KeyRing.Create(own, Custody.Fabric, SealingRig.Now, entropy)
            .HeldByAsync(_master, own, entropy, Cancel);
        Assert.Equal(Vectors["key-ring"], ring.Encode());
        using VaultKeys keys = ring.Unlock(own);
        using ContentKey key = keys.NewContentKey(Content, entropy, out byte[] wrapped);
        Assert.Equal(Vectors["wrapped-content-key"], wrapped);
        Assert.Equal(Vectors["sealed-manifest"], keys.SealManifest(Content, "a manifest"u8, entropy));
        foreach (int length in (int[])[1, 16, 65_535, 65_536, 65_537, 196_608, 4_194_304])
        {
            byte[] sealedBytes = SealStripe(key, length);
            Assert.Equal(Vectors[$"stripe-{length}-sha256"], SHA256.HashData(sealedBytes));
            if (Vectors.TryGetValue($"stripe-{length}", out byte[]? whole))
            {
                Assert.Equal(whole, sealedBytes);
            }
        }
    }

    [Fact]
    public async Task What_another_implementation_sealed_opens()
    {
        using MasterKey master = MasterKeyText.Read(Vectors["master-text"], []);
        KeyRing ring = KeyRing.Decode(Vectors["key-ring"]);
        using PrivateKeys own = await ring.OpenAsync(master, Cancel);
        Assert.Equal(Vectors["key-file"], PrivateKeysText.ToText(own));
        using VaultKeys keys = ring.Unlock(own);
        Assert.Equal("a manifest"u8, keys.OpenManifest(Content, Vectors["sealed-manifest"]));
        using ContentKey key = keys.OpenContentKey(Content, Vectors["wrapped-content-key"]);
        using StripeCipher cipher = key.ForStripe(Seal, Ordinal);
        byte[] content = new byte[16];
        cipher.Open(content.Length, 0, Vectors["stripe-16"], content);
        Assert.Equal(StripeContent(16), content);
    }

    private static byte[] SealStripe(ContentKey key, int length)
    {
        byte[] sealedBytes = new byte[Geometry.PlainSealedBytes(length)];
        using StripeCipher cipher = key.ForStripe(Seal, Ordinal);
        cipher.Seal(StripeContent(length), sealedBytes);
        return sealedBytes;
    }

    private static byte[] StripeContent(int length)
    {
        byte[] content = new byte[length];
        for (int i = 0; i < length; i++)
        {
            content[i] = (byte)((i * 7) + (i / 251));
        }

        return content;
    }

    private static UInt128 Repeat(byte value) => UInt128.MaxValue / 255 * value;

    /// <summary>0, 1, 2, …: what the other implementation draws.</summary>
    private sealed class CountingEntropy : IEntropy
    {
        private byte _next;

        public void Fill(Span<byte> target)
        {
            foreach (ref byte value in target)
            {
                value = _next++;
            }
        }
    }
}
