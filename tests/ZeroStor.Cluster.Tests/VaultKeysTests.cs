using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Grains;
using ZeroStor.Sealing;

namespace ZeroStor.Cluster.Tests;

/// <summary>The keys of a vault in custody of the fabric: rotated, retired, begun anew, over restarts.</summary>
public sealed class VaultKeysTests : IAsyncLifetime
{
    private readonly Dictionary<string, byte[]> _objects = [];
    private TestFabric _fabric = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Vault Vault => _fabric.Client.Vault("default");

    public async ValueTask InitializeAsync() => _fabric = await TestFabric.StartAsync();

    public ValueTask DisposeAsync() => _fabric.DisposeAsync();

    [Fact]
    public async Task A_rotation_changes_no_shard_and_no_manifest_and_the_old_key_can_be_retired()
    {
        await PutSomeAsync("before");
        string[] manifests = await ManifestsAsync();
        byte[] disks = HashOfVolumes();

        VaultKeyRing rotated = await Vault.RotateKeyAsync("xwing1024", Cancel);
        Assert.Equal(["xwing", "xwing1024"], rotated.Keys.Select(k => k.Suite));
        Assert.Equal([[], [1u, 2u]], rotated.Keys.Select(k => k.Epochs.ToArray()));
        Assert.Equal(disks, HashOfVolumes());
        Assert.Equal(manifests, await ManifestsAsync());
        await AssertAllAsync();
        await PutSomeAsync("after");
        Assert.All(await EpochsAsync("after"), e => Assert.Equal(2u, e));

        await AssertRefusedAsync(ErrorKind.InvalidArgument, () => Vault.RetireKeyAsync(2, Cancel));
        await AssertRefusedAsync(ErrorKind.NotFound, () => Vault.RetireKeyAsync(9, Cancel));
        VaultKeyRing retired = await Vault.RetireKeyAsync(1, Cancel);
        Assert.Equal(2u, Assert.Single(retired.Keys).Generation);
        await _fabric.StopAsync();
        await _fabric.StartSiloAsync();
        await AssertAllAsync();
        Assert.Equal(retired.Keys.Single().Suite, (await Vault.KeysAsync(Cancel)).Keys.Single().Suite);
    }

    [Fact]
    public async Task A_vault_may_begin_with_the_stronger_suite_and_not_with_one_that_is_none()
    {
        await AssertRefusedAsync(
            ErrorKind.InvalidArgument,
            () => _fabric.Client.CreateVaultAsync("odd", new VaultSpec { Suite = "rot13" }, Cancel));
        await _fabric.Client.CreateVaultAsync("strong", new VaultSpec { Suite = "xwing1024" }, Cancel);
        Assert.Equal("xwing1024", (await _fabric.Client.Vault("strong").KeysAsync(Cancel)).Keys.Single().Suite);
        await AssertRefusedAsync(ErrorKind.InvalidArgument, () => Vault.RotateKeyAsync("rot13", Cancel));
        Assert.Single((await Vault.KeysAsync(Cancel)).Keys);
    }

    [Fact]
    public async Task An_epoch_that_another_silo_began_is_found_and_many_who_ask_begin_one()
    {
        await PutSomeAsync("before");
        IVaultGrain grain = _fabric.Silo.GetRequiredService<IGrainFactory>().GetGrain<IVaultGrain>("default");
        VaultSecrets[] begun = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => grain.BeginEpochAsync(1, Cancel)));
        Assert.All(begun, s => Assert.Equal([1u, 2u], KeyRing.Decode(s.KeyRing).Epochs.Select(e => e.Number)));

        // What this silo has open does not know the epoch; what was sealed under it elsewhere opens all the same.
        var directory = _fabric.Silo.GetRequiredService<VaultDirectory>();
        Assert.Equal(1u, (await directory.GetAsync("default", Cancel)).Keys.CurrentEpoch);
        KeyRing ring = KeyRing.Decode(begun[0].KeyRing);
        using PrivateKeys own = await ring.OpenAsync(_fabric.Silo.GetRequiredService<FabricKey>().Current, Cancel);
        using VaultKeys elsewhere = ring.Unlock(own);
        ContentId content = ContentId.New(new Tick(1), SystemEntropy.Instance);
        using ContentKey made = elsewhere.NewContentKey(content, SystemEntropy.Instance, out byte[] wrapped);
        await Eventually.HoldsAsync(
            async () => (await directory.GetAsync("default", wrapped, Cancel)).Keys.CurrentEpoch == 2,
            "the epoch is known");
        (await directory.GetAsync("default", wrapped, Cancel)).Keys.OpenContentKey(content, wrapped).Dispose();
        await AssertAllAsync();
    }

    [Fact]
    public async Task A_shredded_vault_is_gone_its_keys_with_it_and_its_name_is_free()
    {
        await PutSomeAsync("before");
        var directory = _fabric.Silo.GetRequiredService<VaultDirectory>();
        ICatalog catalog = _fabric.Silo.GetRequiredService<ICatalog>();
        VaultId id = (await catalog.FindVaultAsync("default", Cancel))!.Id;
        await _fabric.Client.ShredVaultAsync("default", Cancel);
        Assert.Null(directory.Find("default"));
        await AssertRefusedAsync(ErrorKind.NotFound, () => Vault.OpenReadAsync("before/0", cancel: Cancel));
        await _fabric.Client.CreateVaultAsync("default", cancel: Cancel);
        Assert.NotEqual(id, (await Vault.DescribeAsync(Cancel)).Id);
        Assert.Empty((await Vault.ListPageAsync(new ListOptions(), 10, Cancel)).Entries);
    }

    [Fact]
    public async Task The_next_master_key_takes_the_place_of_the_fabrics_and_then_opens_all_alone()
    {
        await PutSomeAsync("before");
        await AssertRefusedAsync(ErrorKind.PreconditionFailed, () => _fabric.Client.RotateMasterKeyAsync(Cancel));
        string path = Path.Combine(_fabric.Folder, "next.key");
        using MasterKey next = MasterKeyFile.Create(path, SystemEntropy.Instance, "words"u8)!;
        string words = Path.Combine(_fabric.Folder, "words");
        SecretFile.Create(words, "passphrase", "words\n"u8);
        await _fabric.StopAsync();
        await _fabric.StartSiloAsync(o => (o.NextMasterKeyFile, o.NextMasterKeyPassphraseFile) = (path, words));
        await _fabric.Client.CreateVaultAsync("made-before", cancel: Cancel);
        byte[] disks = HashOfVolumes();
        VaultKeyRing before = await Vault.KeysAsync(Cancel);

        MasterRotated rotated = await _fabric.Client.RotateMasterKeyAsync(Cancel);
        Assert.Equal((next.Id, 2), (rotated.Is, rotated.Vaults));
        Assert.Equal(rotated.Was, before.Keys.Single().HeldBy);
        Assert.Equal(0, (await _fabric.Client.RotateMasterKeyAsync(Cancel)).Vaults);
        await _fabric.Client.CreateVaultAsync("made-after", cancel: Cancel);
        Assert.Equal(next.Id, (await _fabric.Client.Vault("made-after").KeysAsync(Cancel)).Keys.Single().HeldBy);
        Assert.Equal(disks, HashOfVolumes());
        await AssertAllAsync();

        // Who has the old one alone is refused; the new one needs nothing beside it.
        await _fabric.StopAsync();
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(() => _fabric.StartSiloAsync());
        Assert.Contains(next.Id, refusal.Message, StringComparison.Ordinal);
        await _fabric.StopAsync();
        await _fabric.StartSiloAsync(o => (o.MasterKeyFile, o.MasterKeyPassphraseFile) = (path, words));
        await AssertAllAsync();
        Assert.Equal(next.Id, (await Vault.KeysAsync(Cancel)).Keys.Single().HeldBy);
    }

    private async Task PutSomeAsync(string prefix)
    {
        for (int i = 0; i < 5; i++)
        {
            byte[] content = RandomNumberGenerator.GetBytes(10_000 + (i * 300_000));
            _objects[$"{prefix}/{i}"] = content;
            await Vault.PutAsync($"{prefix}/{i}", new ReadOnlySequence<byte>(content), cancel: Cancel);
        }
    }

    private async Task AssertAllAsync()
    {
        foreach ((string key, byte[] content) in _objects)
        {
            await using ObjectStream stream = await Vault.OpenReadAsync(key, cancel: Cancel);
            using var got = new MemoryStream();
            await stream.CopyToAsync(got, Cancel);
            Assert.Equal(content, got.ToArray());
        }
    }

    private async Task<IEnumerable<VersionRow>> RowsAsync()
    {
        ICatalog catalog = _fabric.Silo.GetRequiredService<ICatalog>();
        VaultEntry entry = (await catalog.FindVaultAsync("default", Cancel))!;
        return (await catalog.HeadAsync(entry.Id, [.. _objects.Keys.Order()], Cancel)).Select(row => row!);
    }

    private async Task<string[]> ManifestsAsync() =>
        [.. (await RowsAsync()).Select(row => Convert.ToHexString(row.Manifest))];

    // The epoch that a wrapped content key names stands behind format and suite.
    private async Task<uint[]> EpochsAsync(string prefix) =>
    [
        .. (await RowsAsync())
            .Where(row => row.Key.StartsWith(prefix, StringComparison.Ordinal))
            .SelectMany(row => Manifest.Decode(row.Manifest).Contents)
            .Select(c => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(c.WrappedKey.AsSpan()[2..])),
    ];

    private byte[] HashOfVolumes()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in Directory.EnumerateFiles(_fabric.Folder, "*", SearchOption.AllDirectories)
            .Where(f => Path.GetFileName(Path.GetDirectoryName(f)) == "volumes").Order())
        {
            using FileStream volume = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            hash.AppendData(SHA256.HashData(volume));
        }

        return hash.GetHashAndReset();
    }

    private static async Task AssertRefusedAsync<T>(ErrorKind kind, Func<Task<T>> ask) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<ZeroStorException>(ask)).Kind);
}
