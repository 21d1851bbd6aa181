using System.Collections.Immutable;
using ZeroStor.Sealing;

namespace ZeroStor.Tests.Sealing;

public sealed class KeyRingTests : IDisposable
{
    private static readonly SeededEntropy Entropy = new(13);
    private static readonly ContentId Content = ContentId.New(SealingRig.Now, Entropy);

    private readonly MasterKey _master = MasterKey.Generate(Entropy);
    private readonly PrivateKeys _own = PrivateKeys.Generate(VaultId.New(Entropy), suite: null, Entropy);
    private readonly KeyRing _ring;

    public KeyRingTests() => _ring = SealingRig.Ring(_own, 1, Entropy).WithNextEpoch(_own, new Tick(99), Entropy);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _own.Dispose();
        _master.Dispose();
    }

    [Fact]
    public void A_new_ring_has_one_epoch_and_the_next_one_follows()
    {
        Assert.Equal([1u, 2u], _ring.Epochs.Select(e => e.Number));
        Assert.Equal([SealingRig.Now, new Tick(99)], _ring.Epochs.Select(e => e.Begun));
        using VaultKeys keys = _ring.Unlock(_own);
        Assert.Equal(2u, keys.CurrentEpoch);
        Assert.Equal(_ring.Vault, keys.Vault);
        Assert.Equal("xwing", _ring.Pairs.Single().SuiteName);
    }

    [Theory]
    [InlineData("xwing", 3_000)]
    [InlineData("xwing1024", 4_200)]
    public void Encoded_and_decoded_it_unlocks_to_the_same_keys(string suite, int mostBytes)
    {
        using PrivateKeys own = PrivateKeys.Generate(VaultId.New(Entropy), suite, Entropy);
        KeyRing ring = SealingRig.Ring(own, 1, Entropy);
        KeyRing decoded = KeyRing.Decode(ring.Encode());
        Assert.Equal(ring.Encode(), decoded.Encode());
        Assert.InRange(ring.Encode().Length, 1, mostBytes);
        using VaultKeys keys = ring.Unlock(own);
        using VaultKeys same = decoded.Unlock(own);
        AssertOpens(keys, same);
    }

    [Fact]
    public async Task Held_by_a_master_key_it_opens_with_that_one_alone()
    {
        KeyRing held = KeyRing.Decode((await _ring.HeldByAsync(_master, _own, Entropy, Cancel)).Encode());
        using PrivateKeys opened = await held.OpenAsync(_master, Cancel);
        using VaultKeys before = _ring.Unlock(_own);
        using VaultKeys after = held.Unlock(opened);
        AssertOpens(before, after);

        using MasterKey other = MasterKey.Generate(Entropy);
        ZeroStorException refusal =
            await Assert.ThrowsAsync<ZeroStorException>(() => held.OpenAsync(other, Cancel).AsTask());
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Contains(_ring.Vault.ToString(), refusal.Message, StringComparison.Ordinal);
        Assert.Contains(_master.Id, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(other.Id, refusal.Message, StringComparison.Ordinal);

        // Another master key rewraps a few hundred bytes, and no epoch.
        KeyRing moved = await held.HeldByAsync(other, opened, Entropy, Cancel);
        Assert.Equal(held.Epochs, moved.Epochs);
        using PrivateKeys again = await moved.OpenAsync(other, Cancel);
        Assert.Equal(_own.Generations, again.Generations);
    }

    [Fact]
    public async Task What_its_owner_keeps_no_master_key_opens()
    {
        ZeroStorException refusal =
            await Assert.ThrowsAsync<ZeroStorException>(() => _ring.OpenAsync(_master, Cancel).AsTask());
        Assert.Contains("with its owner", refusal.Message, StringComparison.Ordinal);
        Assert.All(_ring.Pairs, p => Assert.Empty(p.Held));
    }

    [Fact]
    public async Task Every_flipped_bit_is_refused_or_makes_an_epoch_that_nobody_seals_under()
    {
        KeyRing held = await _ring.HeldByAsync(_master, _own, Entropy, Cancel);
        byte[] bytes = held.Encode();
        var noticed = new Dictionary<string, int>();

        // Every bit of what is small, and every 37th of the lattices' public key and ciphertexts.
        int[] small = [.. Enumerable.Range(0, 40), .. Enumerable.Range(1230, 160), .. Enumerable.Range(bytes.Length - 130, 130)];
        IEnumerable<int> bits = Enumerable.Range(0, bytes.Length * 8)
            .Where(bit => small.Contains(bit / 8) || bit % (37 * 8 + 1) == 0);
        foreach (int bit in bits)
        {
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            string how = await NoticeAsync(flipped);
            Assert.True(how.Length > 0, $"bit {bit % 8} of byte {bit / 8} was not noticed");
            noticed[how] = noticed.GetValueOrDefault(how) + 1;
        }

        Assert.True(noticed.ContainsKey("Corrupt"));
        Assert.True(noticed.ContainsKey("no witness"));
    }

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
    public void Keys_of_another_vault_and_other_keys_of_this_one_are_refused_with_a_sentence()
    {
        using PrivateKeys foreign = PrivateKeys.Generate(VaultId.New(Entropy), suite: null, Entropy);
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => _ring.Unlock(foreign));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Contains("name its own key file", refusal.Message, StringComparison.Ordinal);
        using PrivateKeys wrong = PrivateKeys.Generate(_ring.Vault, suite: null, Entropy);
        refusal = Assert.Throws<ZeroStorException>(() => _ring.Unlock(wrong));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Contains("another than the one given", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_epochs_of_two_vaults_cannot_be_exchanged()
    {
        byte[] bytes = _ring.Encode();
        var other = new VaultId(_ring.Vault.Value ^ 1);
        Id128.Write(bytes.AsSpan(1), other.Value);
        using var moved = new PrivateKeys(other, _own.All);
        SealingRig.AssertRefused(ErrorKind.Corrupt, () => KeyRing.Decode(bytes).Unlock(moved).Dispose());
    }

    [Fact]
    public void A_rotation_moves_every_epoch_to_the_next_key_and_what_was_wrapped_still_opens()
    {
        using VaultKeys before = _ring.Unlock(_own);
        PrivateKeys both = _own.WithNext("xwing1024", Entropy);
        KeyRing rotated = KeyRing.Decode(_ring.WithNextPair(both, new Tick(500), Entropy).Encode());
        Assert.Equal([1u, 2u, 3u], rotated.Epochs.Select(e => e.Number));
        Assert.All(rotated.Epochs, e => Assert.Equal(2u, e.Generation));
        Assert.Equal(["xwing", "xwing1024"], rotated.Pairs.Select(p => p.SuiteName));
        using VaultKeys after = rotated.Unlock(both);
        Assert.Equal(3u, after.CurrentEpoch);
        AssertOpens(before, after);

        // The old key opens nothing of the new ring, and can leave it.
        KeyRing retired = rotated.WithoutPair(1);
        Assert.Equal([HybridKem.XWing1024.Suite], retired.Suites);
        using VaultKeys withOld = rotated.Unlock(_own);
        Assert.Equal(0u, withOld.CurrentEpoch);
        using ContentKey made = after.NewContentKey(Content, Entropy, out byte[] wrapped);
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => withOld.OpenContentKey(Content, wrapped));
        Assert.Contains("takes key 2", refusal.Message, StringComparison.Ordinal);
        using VaultKeys withNew = retired.Unlock(both.Without(1));
        AssertOpens(before, withNew);
        both.Dispose();
    }

    [Fact]
    public void A_key_that_epochs_need_and_the_newest_cannot_be_taken_out()
    {
        PrivateKeys both = _own.WithNext(suite: null, Entropy);
        SealingRig.AssertRefused(ErrorKind.InvalidArgument, () => _ring.WithoutPair(1));
        SealingRig.AssertRefused(ErrorKind.NotFound, () => _ring.WithoutPair(7));
        SealingRig.AssertRefused(ErrorKind.InvalidArgument, () => both.Without(2));
        KeyRing rotated = _ring.WithNextPair(both, new Tick(500), Entropy);
        KeyRing mixed = KeyRingOf(rotated, [_ring.Epochs[0], .. rotated.Epochs.Skip(1)]);
        SealingRig.AssertRefused(ErrorKind.PreconditionFailed, () => mixed.WithoutPair(1));

        // Who rotated meanwhile is told, and nothing of the other's rotation is lost.
        SealingRig.AssertRefused(
            ErrorKind.InvalidArgument,
            () => rotated.WithNextPair(_own.WithNext(suite: null, Entropy), new Tick(501), Entropy));
        both.Dispose();
    }

    [Fact]
    public void An_epoch_that_somebody_else_made_opens_and_is_never_sealed_under()
    {
        // The attacker writes the database and knows the public key: he adds an epoch whose key he knows.
        using PrivateKeys attacker = PrivateKeys.Generate(_ring.Vault, suite: null, Entropy);
        byte[] known = SealingRig.Bytes(Entropy, Secret.KeyBytes);
        KeyEpoch forged = EpochBox.Seal(_ring.Vault, _own.Newest, 3, new Tick(100), known, Entropy) with
        {
            Witness = [.. SealingRig.Bytes(Entropy, EpochBox.WitnessBytes)],
        };
        KeyRing tampered = KeyRingOf(_ring, _ring.Epochs.Add(forged));
        using VaultKeys keys = tampered.Unlock(_own);
        Assert.Equal(2u, keys.CurrentEpoch);
        keys.NewContentKey(Content, Entropy, out byte[] wrapped).Dispose();
        Assert.Equal(2, wrapped[5]);

        // Nor does a rotation make it the owner's.
        PrivateKeys both = _own.WithNext(suite: null, Entropy);
        using VaultKeys rotated = tampered.WithNextPair(both, new Tick(500), Entropy).Unlock(both);
        Assert.Equal([true, true, false, true], rotated.Epochs.Select(e => e.HasWitness));
        both.Dispose();
    }

    [Theory]
    [InlineData(0, 2, "format 2")]
    [InlineData(17, 9, "custody 9")]
    [InlineData(19, 9, "suite 9")]
    public void An_unknown_format_custody_or_suite_asks_for_a_newer_version(int at, byte value, string what)
    {
        byte[] bytes = _ring.Encode();
        bytes[at] = value;
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => KeyRing.Decode(bytes));
        Assert.Equal(ErrorKind.Corrupt, refusal.Kind);
        Assert.Contains(what, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("run a newer ZeroStor", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_suite_that_the_vault_does_not_accept_is_refused()
    {
        byte[] bytes = _ring.Encode();
        bytes[19] = HybridKem.XWing1024.Suite;
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(() => KeyRing.Decode(bytes));
        Assert.Contains("does not accept", refusal.Message, StringComparison.Ordinal);
    }

    private static KeyRing KeyRingOf(KeyRing ring, ImmutableArray<KeyEpoch> epochs) =>
        new(ring.Vault, ring.Custody, ring.Suites, ring.Pairs, epochs);

    private static void AssertOpens(VaultKeys made, VaultKeys opens)
    {
        using ContentKey key = made.NewContentKey(Content, Entropy, out byte[] wrapped);
        using ContentKey opened = opens.OpenContentKey(Content, wrapped);
        Assert.True(SealingRig.IsSameKey(key, opened));
    }

    // How a changed ring shows; empty: not at all.
    private async Task<string> NoticeAsync(byte[] bytes)
    {
        try
        {
            KeyRing ring = KeyRing.Decode(bytes);
            using PrivateKeys keys = await ring.OpenAsync(_master, Cancel);
            using VaultKeys open = ring.Unlock(keys);
            return open.Epochs.All(e => e.HasWitness) ? "" : "no witness";
        }
        catch (ZeroStorException refusal)
        {
            return refusal.Kind.ToString();
        }
    }
}
