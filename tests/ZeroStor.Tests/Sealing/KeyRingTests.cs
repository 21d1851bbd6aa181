using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class KeyRingTests
{
    private static readonly SeededEntropy Entropy = new(13);
    private static readonly ContentId Content = ContentId.New(SealingRig.Now, Entropy);

    private readonly MasterKey _master = MasterKey.Generate(Entropy);
    private readonly KeyRing _ring;

    public KeyRingTests() => _ring = KeyRing.Create(_master, VaultId.New(Entropy), SealingRig.Now, Entropy)
        .WithNextEpoch(_master, new Tick(99), Entropy);

    [Fact]
    public void A_new_ring_has_one_epoch_and_the_next_one_follows()
    {
        Assert.Equal([1u, 2u], _ring.Epochs.Select(e => e.Number));
        Assert.Equal([SealingRig.Now, new Tick(99)], _ring.Epochs.Select(e => e.Begun));
        using VaultKeys keys = _ring.Unlock(_master);
        Assert.Equal(2u, keys.CurrentEpoch);
        Assert.Equal(_ring.Vault, keys.Vault);
    }

    [Fact]
    public void Encoded_and_decoded_it_unlocks_to_the_same_keys()
    {
        KeyRing decoded = KeyRing.Decode(_ring.Encode());
        Assert.Equal(_ring.Encode(), decoded.Encode());
        using VaultKeys keys = _ring.Unlock(_master);
        using VaultKeys same = decoded.Unlock(_master);
        using ContentKey key = keys.NewContentKey(Content, Entropy, out byte[] wrapped);
        using ContentKey opened = same.OpenContentKey(Content, wrapped);
        Assert.True(SealingRig.IsSameKey(key, opened));
    }

    [Fact]
    public void Every_flipped_bit_is_refused() =>
        SealingRig.ForEachFlippedBit(_ring.Encode(), (flipped, bit) =>
        {
            ZeroStorException refusal = Assert.Throws<ZeroStorException>(
                () => KeyRing.Decode(flipped).Unlock(_master).Dispose());
            Assert.True(refusal.Kind is ErrorKind.Corrupt or ErrorKind.InvalidArgument, $"{bit}: {refusal}");
        });

    [Fact]
    public void Every_truncation_and_any_byte_behind_it_is_refused()
    {
        byte[] bytes = _ring.Encode();
        for (int length = 0; length < bytes.Length; length++)
        {
            SealingRig.AssertRefused(ErrorKind.Corrupt, () => KeyRing.Decode(bytes.AsSpan(0, length)));
        }

        SealingRig.AssertRefused(ErrorKind.Corrupt, () => KeyRing.Decode([.. bytes, 0]));
    }

    [Fact]
    public void A_ring_without_epochs_is_refused()
    {
        byte[] bytes = [.. _ring.Encode().AsSpan(0, 17), 0];
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => KeyRing.Decode(bytes));
    }

    [Fact]
    public void Another_master_key_is_refused_with_the_vault_and_both_ids()
    {
        using MasterKey other = MasterKey.Generate(Entropy);
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => _ring.Unlock(other));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Contains(_ring.Vault.ToString(), refusal.Message, StringComparison.Ordinal);
        Assert.Contains(_master.Id, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(other.Id, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_master_key_that_claims_the_id_opens_nothing()
    {
        using MasterKey other = MasterKey.Generate(Entropy);
        byte[] bytes = _ring.Encode();
        ReplaceAll(bytes, Convert.FromHexString(_master.Id), Convert.FromHexString(other.Id));
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => KeyRing.Decode(bytes).Unlock(other).Dispose());
    }

    [Theory]
    [InlineData(0, "format")]
    [InlineData(22, "suite")]
    public void An_unknown_format_or_suite_asks_for_a_newer_version(int at, string what)
    {
        byte[] bytes = _ring.Encode();
        bytes[at] = 2;
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => KeyRing.Decode(bytes));
        Assert.Equal(ErrorKind.Corrupt, refusal.Kind);
        Assert.Contains($"{what} 2", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("run a newer ZeroStor", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Epochs_that_do_not_rise_are_refused()
    {
        byte[] bytes = _ring.Encode();
        bytes[21] = 2;
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => KeyRing.Decode(bytes));
    }

    [Fact]
    public void The_epochs_of_two_vaults_cannot_be_exchanged()
    {
        KeyRing other = KeyRing.Create(_master, VaultId.New(Entropy), SealingRig.Now, Entropy);
        byte[] bytes = other.Encode();
        Id128.Write(bytes.AsSpan(1), _ring.Vault.Value);
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => KeyRing.Decode(bytes).Unlock(_master).Dispose());
    }

    private static void ReplaceAll(Span<byte> bytes, ReadOnlySpan<byte> old, ReadOnlySpan<byte> with)
    {
        for (int at = bytes.IndexOf(old); at >= 0; at = bytes.IndexOf(old))
        {
            with.CopyTo(bytes[at..]);
        }
    }
}
