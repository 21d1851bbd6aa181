using System.Collections.Concurrent;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class VaultKeysTests
{
    private static readonly SeededEntropy Entropy = new(14);
    private static readonly ContentId Content = ContentId.New(SealingRig.Now, Entropy);
    private static readonly ContentId OtherContent = ContentId.New(SealingRig.Now, Entropy);

    private readonly VaultKeys _keys = SealingRig.Keys(1, epochs: 2);
    private readonly byte[] _wrapped;
    private readonly byte[] _manifest;

    public VaultKeysTests()
    {
        _keys.NewContentKey(Content, Entropy, out _wrapped).Dispose();
        _manifest = _keys.SealManifest(Content, "a manifest"u8, Entropy);
    }

    [Fact]
    public void A_wrapped_key_opens_to_the_key_it_was_and_takes_at_most_100_bytes()
    {
        using ContentKey made = _keys.NewContentKey(Content, Entropy, out byte[] wrapped);
        using ContentKey opened = _keys.OpenContentKey(Content, wrapped);
        Assert.True(SealingRig.IsSameKey(made, opened));
        Assert.Equal(VaultKeys.WrappedKeyBytes, wrapped.Length);
        Assert.InRange(wrapped.Length, 0, 100);
        Assert.Equal((Content, _keys.Vault), (opened.Content, opened.Vault));
    }

    [Fact]
    public void A_content_that_is_begun_twice_gets_two_keys_and_two_nonces()
    {
        using ContentKey first = _keys.NewContentKey(Content, Entropy, out byte[] one);
        using ContentKey second = _keys.NewContentKey(Content, Entropy, out byte[] two);
        Assert.False(SealingRig.IsSameKey(first, second));
        Assert.NotEqual(one[6..18], two[6..18]);
        using ContentKey opened = _keys.OpenContentKey(Content, one);
        Assert.True(SealingRig.IsSameKey(first, opened));
    }

    [Fact]
    public void Every_flipped_bit_of_a_wrapped_key_is_refused() => SealingRig.ForEachFlippedBit(
        _wrapped,
        (flipped, _) => SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(_keys, Content, flipped)));

    [Fact]
    public void Every_flipped_bit_of_a_sealed_manifest_is_refused() => SealingRig.ForEachFlippedBit(
        _manifest,
        (flipped, _) => SealingRig.AssertRefused(
            ErrorKind.Corrupt, () => _keys.OpenManifest(Content, flipped)));

    [Fact]
    public void Every_truncation_and_any_byte_behind_is_refused()
    {
        for (int length = 0; length < _wrapped.Length; length++)
        {
            SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(_keys, Content, _wrapped[..length]));
        }

        for (int length = 0; length < _manifest.Length; length++)
        {
            SealingRig.AssertRefused(
                ErrorKind.Corrupt, () => _keys.OpenManifest(Content, _manifest.AsSpan(0, length)));
        }

        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(_keys, Content, [.. _wrapped, 0]));
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => _keys.OpenManifest(Content, [.. _manifest, 0]));
    }

    [Fact]
    public void Another_contents_id_opens_nothing()
    {
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(_keys, OtherContent, _wrapped));
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => _keys.OpenManifest(OtherContent, _manifest));
    }

    [Fact]
    public void Another_vaults_keys_open_nothing()
    {
        using VaultKeys other = SealingRig.Keys(2, epochs: 2);
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(other, Content, _wrapped));
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => other.OpenManifest(Content, _manifest));
    }

    [Fact]
    public void Another_vaults_name_on_the_same_keys_opens_nothing()
    {
        byte[] epochKey = SealingRig.Bytes(Entropy, Secret.KeyBytes);
        using var vault = new VaultKeys(VaultId.New(Entropy), [Epoch(epochKey)]);
        using var renamed = new VaultKeys(VaultId.New(Entropy), [Epoch(epochKey)]);
        vault.NewContentKey(Content, Entropy, out byte[] wrapped).Dispose();
        byte[] manifest = vault.SealManifest(Content, [1], Entropy);
        Open(vault, Content, wrapped);
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(renamed, Content, wrapped));
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => renamed.OpenManifest(Content, manifest));
    }

    [Fact]
    public void Another_epoch_opens_nothing_and_one_that_is_not_there_is_named()
    {
        byte[] older = [.. _wrapped];
        older[5] = 1;
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(_keys, Content, older));
        byte[] newer = [.. _wrapped];
        newer[5] = 3;
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => Open(_keys, Content, newer));
        Assert.Contains("epoch 3", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_of_older_epochs_open_and_new_ones_are_wrapped_under_the_last()
    {
        var entropy = new SeededEntropy(3);
        using PrivateKeys own = PrivateKeys.Generate(VaultId.New(entropy), suite: null, entropy);
        KeyRing ring = SealingRig.Ring(own, 1, entropy);
        using VaultKeys before = ring.Unlock(own);
        using VaultKeys after = ring.WithNextEpoch(own, SealingRig.Now, entropy).Unlock(own);
        using ContentKey made = before.NewContentKey(Content, entropy, out byte[] wrapped);
        using ContentKey opened = after.OpenContentKey(Content, wrapped);
        Assert.True(SealingRig.IsSameKey(made, opened));
        after.NewContentKey(Content, entropy, out byte[] rewrapped).Dispose();
        Assert.Equal(2, rewrapped[5]);
        Assert.True(after.Has(rewrapped));
        Assert.False(before.Has(rewrapped));
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(before, Content, rewrapped));
    }

    [Fact]
    public void An_epoch_is_worn_out_after_its_time()
    {
        Tick last = SealingRig.Now;
        Assert.False(_keys.IsEpochWornOut(last));
        Assert.False(_keys.IsEpochWornOut(new Tick(last.Value + VaultKeys.EpochTicks - 1)));
        Assert.True(_keys.IsEpochWornOut(new Tick(last.Value + VaultKeys.EpochTicks)));
    }

    [Theory]
    [InlineData(0, "format")]
    [InlineData(1, "suite")]
    public void An_unknown_format_or_suite_asks_for_a_newer_version(int at, string what)
    {
        byte[] wrapped = [.. _wrapped];
        byte[] manifest = [.. _manifest];
        wrapped[at] = manifest[at] = 2;
        foreach (Action act in (Action[])[() => Open(_keys, Content, wrapped),
            () => _keys.OpenManifest(Content, manifest)])
        {
            ZeroStorException refusal = Assert.Throws<ZeroStorException>(act);
            Assert.Equal(ErrorKind.Corrupt, refusal.Kind);
            Assert.Contains($"{what} 2", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("run a newer ZeroStor", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_keys_never_open_one_wrapped_key()
    {
        using Secret first = SealingRig.NewSecret(Entropy);
        using Secret second = SealingRig.NewSecret(Entropy);
        using var vault = new VaultKeys(VaultId.New(Entropy), [Epoch(Raw(first))]);
        using var other = new VaultKeys(VaultId.New(Entropy), [Epoch(Raw(second))]);
        byte[] header = [1, 1, 0, 0, 0, 1];
        byte[] content = Id128.ToBytes(Content.Value);
        byte[] associated = [.. header, .. Id128.ToBytes(vault.Vault.Value), .. content];
        byte[] otherAssociated = [.. header, .. Id128.ToBytes(other.Vault.Value), .. content];

        // The forged box verifies under both, as AES-GCM allows: so only the commitment can tell.
        byte[] box = TwoKeyBox.Forge(
            WrapKey(first), associated, WrapKey(second), otherAssociated, SealingRig.Bytes(Entropy, 28));
        byte[] key = new byte[Secret.KeyBytes];
        byte[] otherKey = new byte[Secret.KeyBytes];
        Assert.True(first.TryOpen(KeyPurpose.ContentKeyWrap, [], associated, box, key));
        Assert.True(second.TryOpen(KeyPurpose.ContentKeyWrap, [], otherAssociated, box, otherKey));
        Assert.NotEqual(key, otherKey);

        byte[] blob = [.. header, .. box, .. Commitment(key)];
        Open(vault, Content, blob);
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(other, Content, blob));
        blob = [.. header, .. box, .. Commitment(otherKey)];
        Open(other, Content, blob);
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(vault, Content, blob));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public void A_manifest_opens_to_what_it_was(int bytes)
    {
        byte[] manifest = SealingRig.Bytes(Entropy, bytes);
        byte[] one = _keys.SealManifest(Content, manifest, Entropy);
        byte[] two = _keys.SealManifest(Content, manifest, Entropy);
        Assert.Equal(manifest, _keys.OpenManifest(Content, one));
        Assert.Equal(bytes + VaultKeys.ManifestOverheadBytes, one.Length);
        Assert.NotEqual(one, two);
    }

    [Fact]
    public void A_wrapped_key_is_no_manifest_and_no_manifest_a_wrapped_key()
    {
        byte[] manifest = _keys.SealManifest(Content, new byte[64], Entropy);
        Assert.Equal(_wrapped.Length, manifest.Length);
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => Open(_keys, Content, manifest));
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => _keys.OpenManifest(Content, _wrapped));

        // Nor would they, were they as long as each other: their keys differ.
        SealingRig.AssertRefused(
            ErrorKind.Corrupt, () => _keys.OpenManifest(Content, _wrapped.AsSpan(0, 66)));
    }

    [Fact]
    public void Disposed_they_are_zeros_that_nobody_can_use_and_content_keys_live_on()
    {
        ContentKey key = _keys.OpenContentKey(Content, _wrapped);
        List<byte[]> epochKeys = SealingRig.KeysIn(_keys);
        Assert.Equal(2, epochKeys.Count);
        _keys.Dispose();
        Assert.All(epochKeys, k => Assert.All(k, b => Assert.Equal(0, b)));
        Assert.Throws<ObjectDisposedException>(() => Open(_keys, Content, _wrapped));
        Assert.Throws<ObjectDisposedException>(() => _keys.NewContentKey(Content, Entropy, out _));
        Assert.Throws<ObjectDisposedException>(() => _keys.SealManifest(Content, [1], Entropy));
        Assert.True(SealingRig.IsSameKey(key, key));
        key.Dispose();
    }

    [Fact]
    public async Task Many_threads_may_use_them_and_none_ever_wraps_under_a_zeroed_key()
    {
        using VaultKeys twin = SealingRig.Keys(5);
        VaultKeys keys = SealingRig.Keys(5);
        var wrapped = new ConcurrentBag<byte[]>();
        using var underWay = new ManualResetEventSlim();
        Task[] users = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            while (true)
            {
                try
                {
                    keys.NewContentKey(Content, Entropy, out byte[] blob).Dispose();
                    wrapped.Add(blob);
                }
                catch (ObjectDisposedException)
                {
                    return;
                }

                if (wrapped.Count >= 400)
                {
                    underWay.Set();
                }
            }
        }))];
        Assert.True(underWay.Wait(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        keys.Dispose();
        await Task.WhenAll(users);
        Assert.All(wrapped, blob => Open(twin, Content, blob));
    }

    private static void Open(VaultKeys keys, ContentId content, byte[] wrapped) =>
        keys.OpenContentKey(content, wrapped).Dispose();

    private static OpenEpoch Epoch(byte[] key) =>
        new(1, 1, SealingRig.Now, new Secret(key, isLongLived: true), HasWitness: true);

    private static byte[] Raw(Secret secret)
    {
        byte[] key = new byte[Secret.KeyBytes];
        secret.CopyTo(key);
        return key;
    }

    private static byte[] WrapKey(Secret epoch)
    {
        byte[] key = new byte[Secret.KeyBytes];
        epoch.Derive(KeyPurpose.ContentKeyWrap, [], key);
        return key;
    }

    private static byte[] Commitment(byte[] contentKey)
    {
        byte[] commitment = new byte[32];
        using var secret = new Secret(contentKey, isLongLived: false);
        secret.Derive(KeyPurpose.ContentKeyCommitment, [], commitment);
        return commitment;
    }
}
