using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class ContentKeyTests
{
    private static readonly SeededEntropy Entropy = new(15);

    private readonly VaultKeys _keys = SealingRig.Keys(1);
    private readonly ContentKey _key;

    public ContentKeyTests() =>
        _key = _keys.NewContentKey(ContentId.New(SealingRig.Now, Entropy), Entropy, out _);

    [Fact]
    public void Every_seal_id_gives_another_key_and_the_same_one_the_same()
    {
        var sealings = new HashSet<string>();
        for (uint seal = 0; seal < 1000; seal++)
        {
            Assert.True(sealings.Add(SealZeros(_key, new SealId(seal))));
        }

        Assert.False(sealings.Add(SealZeros(_key, new SealId(0))));
    }

    [Fact]
    public void Two_contents_have_two_keys()
    {
        using ContentKey other = _keys.NewContentKey(ContentId.New(SealingRig.Now, Entropy), Entropy, out _);
        Assert.NotEqual(SealZeros(_key, new SealId(1)), SealZeros(other, new SealId(1)));
    }

    [Fact]
    public void Stripes_count_from_0() => SealingRig.AssertRefused(
        ErrorKind.InvalidArgument, () => _key.ForStripe(new SealId(1), -1).Dispose());

    [Fact]
    public void It_shows_its_content_and_never_its_bytes()
    {
        string key = Convert.ToHexStringLower(SealingRig.KeysIn(_key)[0]);
        Assert.Equal($"key of content {_key.Content}", _key.ToString());
        Assert.DoesNotContain(key, _key.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Disposed_it_is_zeros_that_nobody_can_use_and_its_ciphers_live_on()
    {
        byte[] key = Assert.Single(SealingRig.KeysIn(_key));
        Assert.Contains(key, b => b != 0);
        using StripeCipher cipher = _key.ForStripe(new SealId(1), 0);
        _key.Dispose();
        Assert.All(key, b => Assert.Equal(0, b));
        Assert.Throws<ObjectDisposedException>(() => _key.ForStripe(new SealId(1), 0));
        cipher.Seal([1], new byte[17]);
    }

    // Without tags and AAD this is the key stream: equal only where key and nonce are.
    private static string SealZeros(ContentKey key, SealId seal)
    {
        byte[] sealedBytes = new byte[Geometry.PlainSealedBytes(32)];
        using StripeCipher cipher = key.ForStripe(seal, 0);
        cipher.Seal(new byte[32], sealedBytes);
        return Convert.ToHexString(sealedBytes, 0, 32);
    }
}
