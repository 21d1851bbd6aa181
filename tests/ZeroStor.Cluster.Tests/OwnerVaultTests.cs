using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Cluster.Tests;

/// <summary>A vault whose owner keeps the keys: the SDK seals and opens, the fabric sees sealed bytes.</summary>
public sealed class OwnerVaultTests : IAsyncLifetime
{
    private readonly List<ServiceProvider> _clients = [];
    private TestFabric _fabric = null!;
    private byte[] _keyFile = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _fabric = await TestFabric.StartAsync();
        using PrivateKeys keys = PrivateKeys.Generate(VaultId.New(SystemEntropy.Instance), null, SystemEntropy.Instance);
        _keyFile = PrivateKeysText.ToText(keys);
        VaultInfo made = await _fabric.Client.CreateOwnedVaultAsync("private", keys, cancel: Cancel);
        Assert.Equal((Custody.Owner, keys.Vault), (made.Custody, made.Id));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServiceProvider client in _clients)
        {
            await client.DisposeAsync();
        }

        await _fabric.DisposeAsync();
    }

    [Fact]
    public async Task What_was_put_is_got_whole_and_in_ranges_by_any_client_with_the_keys()
    {
        Vault vault = Owner();
        foreach (int bytes in (int[])[0, 1, 65_536, 262_144, 262_145, 1_048_577, 9_000_001])
        {
            byte[] content = RandomNumberGenerator.GetBytes(bytes);
            await vault.PutAsync($"key{bytes}", new ReadOnlySequence<byte>(content), cancel: Cancel);
            Assert.Equal(content, await GetAsync(Owner(), $"key{bytes}"));
            foreach ((int from, int to) in ((int, int)[])[(0, 0), (65_530, 65_540), (1_000_000, 1_100_000)])
            {
                if (to < bytes)
                {
                    Assert.Equal(content[from..(to + 1)], await GetAsync(Owner(), $"key{bytes}", (from, to)));
                }
            }
        }

        await vault.CopyAsync("key262145", "copy", cancel: Cancel);
        Assert.Equal(await GetAsync(vault, "key262145"), await GetAsync(vault, "copy"));
    }

    [Fact]
    public async Task Without_the_keys_or_with_others_nothing_is_put_or_got_and_a_sentence_says_why()
    {
        await Owner().PutAsync("key", new ReadOnlySequence<byte>(new byte[100]), cancel: Cancel);
        Vault without = VaultOf(() => null);
        foreach (Func<Task> act in (Func<Task>[])[
            () => GetAsync(without, "key"),
            () => without.PutAsync("other", new ReadOnlySequence<byte>(new byte[1]), cancel: Cancel)])
        {
            ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(act);
            Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
            Assert.Contains("with its owner", refusal.Message, StringComparison.Ordinal);
        }

        VaultId id = (await without.DescribeAsync(Cancel)).Id;
        Vault wrong = VaultOf(() => PrivateKeys.Generate(id, null, SystemEntropy.Instance));
        ZeroStorException wrongKeys = await Assert.ThrowsAsync<ZeroStorException>(() => GetAsync(wrong, "key"));
        Assert.Equal(ErrorKind.InvalidArgument, wrongKeys.Kind);
        Assert.Contains("another than the one given", wrongKeys.Message, StringComparison.Ordinal);

        // Who has no keys may still list and delete: names are the catalog's.
        Assert.Equal("key", (await without.ListPageAsync(new ListOptions(), 10, Cancel)).Entries.Single().Key);
        Assert.True(await without.DeleteAsync("key", cancel: Cancel));
    }

    [Fact]
    public async Task Neither_disks_nor_the_catalog_hold_a_slice_of_what_was_put_and_the_search_finds_what_is_there()
    {
        byte[] content = RandomNumberGenerator.GetBytes(300_000);
        await Owner().PutAsync("key", new ReadOnlySequence<byte>(content), cancel: Cancel);
        await _fabric.StopAsync();
        Assert.Empty(FilesWith(content));
        string planted = Path.Combine(_fabric.Folder, "planted");
        await File.WriteAllBytesAsync(planted, [.. new byte[1000], .. content.AsSpan(100_000, 64)], Cancel);
        Assert.Equal([planted], FilesWith(content));
    }

    [Fact]
    public async Task Shards_that_lie_are_found_out_by_the_owner_and_replaced()
    {
        _fabric.LeavesDamage = true;
        byte[] content = RandomNumberGenerator.GetBytes(900_000);
        await Owner().PutAsync("key", new ReadOnlySequence<byte>(content), cancel: Cancel);
        ShardPlace[] places = [.. await Owner().LocateAsync("key", Cancel).ToArrayAsync(Cancel)];
        foreach (ShardPlace place in places.Where(p => p.Index < 2))
        {
            Rot.Flip(place.File, place.Offset + 5);
        }

        // A range is not checked at the home: only the seal tells.
        Assert.Equal(content[10..21], await GetAsync(Owner(), "key", (10, 20)));
        Assert.Equal(content, await GetAsync(Owner(), "key"));
    }

    [Fact]
    public async Task A_rotation_by_the_owner_keeps_what_was_put_and_shuts_the_old_key_out()
    {
        byte[] content = RandomNumberGenerator.GetBytes(70_000);
        await Owner().PutAsync("before", new ReadOnlySequence<byte>(content), cancel: Cancel);
        byte[] old = _keyFile;
        Vault vault = Owner();
        using (PrivateKeys both = PrivateKeysText.FromText(_keyFile).WithNext("xwing1024", SystemEntropy.Instance))
        {
            _keyFile = PrivateKeysText.ToText(both);
            await vault.RotateOwnKeyAsync(Cancel);
            await vault.RetireOwnKeyAsync(1, Cancel);
            _keyFile = PrivateKeysText.ToText(both.Without(1));
        }

        VaultKeyRing ring = await vault.KeysAsync(Cancel);
        Assert.Equal((2u, "xwing1024", ""), (ring.Keys.Single().Generation, ring.Keys[0].Suite, ring.Keys[0].HeldBy));
        await vault.PutAsync("after", new ReadOnlySequence<byte>(content), cancel: Cancel);
        Assert.Equal(content, await GetAsync(Owner(), "before"));
        Assert.Equal(content, await GetAsync(Owner(), "after"));
        Vault outdated = VaultOf(() => PrivateKeysText.FromText(old));
        await Assert.ThrowsAsync<ZeroStorException>(() => GetAsync(outdated, "after"));
        using PrivateKeys recovered = PrivateKeysText.FromText(_keyFile);
        await vault.CheckOwnKeysAsync(recovered, Cancel);
        await Assert.ThrowsAsync<ZeroStorException>(
            () => vault.CheckOwnKeysAsync(PrivateKeysText.FromText(old), Cancel));

        // The fabric cannot do it for him.
        ZeroStorException refusal =
            await Assert.ThrowsAsync<ZeroStorException>(() => vault.RotateKeyAsync(cancel: Cancel));
        Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
    }

    [Fact]
    public async Task A_put_into_a_former_life_of_the_vault_is_refused()
    {
        Vault vault = Owner();
        using var stream = new EventfulStream(3_000_000, async () =>
        {
            await _fabric.Client.RemoveVaultAsync("private", cancel: Cancel);
            using PrivateKeys others =
                PrivateKeys.Generate(VaultId.New(SystemEntropy.Instance), null, SystemEntropy.Instance);
            await _fabric.Client.CreateOwnedVaultAsync("private", others, cancel: Cancel);
        });
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => vault.PutAsync("key", stream, cancel: Cancel));
        Assert.Equal(ErrorKind.NotFound, refusal.Kind);
        Assert.Empty((await vault.ListPageAsync(new ListOptions(), 10, Cancel)).Entries);
    }

    [Fact]
    public async Task Parts_of_an_upload_are_sealed_and_opened_by_the_owner_whichever_client_put_them()
    {
        byte[][] contents = [.. new[] { 1_200_000, 5, 300_000 }.Select(RandomNumberGenerator.GetBytes)];
        Upload upload = await Owner().BeginUploadAsync("key", cancel: Cancel);
        var parts = new List<PartName>();
        foreach ((int i, byte[] content) in contents.Index())
        {
            PartInfo part = await Owner().OpenUpload("key", upload.Id).PutPartAsync(
                i + 1, new ReadOnlySequence<byte>(content), cancel: Cancel);
            parts.Add(new PartName(part.Number, part.ETag));
        }

        await upload.CompleteAsync(parts, cancel: Cancel);
        byte[] whole = [.. contents.SelectMany(c => c)];
        Assert.Equal(whole, await GetAsync(Owner(), "key"));
        Vault vault = Owner();
        Upload copying = await vault.BeginUploadAsync("copy", cancel: Cancel);
        PartInfo copied = await copying.CopyPartAsync(
            1, vault, "key", new CopyPartOptions { Range = ByteRange.OfLength(1_100_000, 200_000) }, Cancel);
        await copying.CompleteAsync([new(1, copied.ETag)], cancel: Cancel);
        Assert.Equal(whole[1_100_000..1_300_000], await GetAsync(Owner(), "copy"));
        Vault without = VaultOf(() => null);
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            async () => await (await without.BeginUploadAsync("other", cancel: Cancel)).PutPartAsync(
                1, new ReadOnlySequence<byte>([1]), cancel: Cancel));
        Assert.Equal(ErrorKind.Forbidden, refusal.Kind);
    }

    private Vault Owner() => VaultOf(() => PrivateKeysText.FromText(_keyFile));

    // A client of its own, which knows nothing of what others opened.
    private Vault VaultOf(Func<PrivateKeys?> keys)
    {
        ServiceProvider services = new ServiceCollection()
            .AddSingleton(_fabric.Grains)
            .AddZeroStorClient(o => o.OwnerKeys = _ => keys())
            .BuildServiceProvider();
        _clients.Add(services);
        return services.GetRequiredService<ZeroStorClient>().Vault("private");
    }

    private static async Task<byte[]> GetAsync(Vault vault, string key, (long From, long To)? range = null)
    {
        ReadOptions options = new() { Range = range is { } r ? ByteRange.Between(r.From, r.To) : null };
        await using ObjectStream stream = await vault.OpenReadAsync(key, options, Cancel);
        using var got = new MemoryStream();
        await stream.CopyToAsync(got, Cancel);
        return got.ToArray();
    }

    // Files in which any 32 bytes of the content lie, at whatever offset: one slice in every 32 is looked up at each.
    private IEnumerable<string> FilesWith(byte[] content)
    {
        const int Slice = 32;
        var slices = new HashSet<(ulong, ulong)>();
        for (int at = 0; at + Slice <= content.Length; at += Slice / 2)
        {
            slices.Add(KeyOf(content.AsSpan(at, Slice / 2)));
        }

        foreach (string path in Directory.EnumerateFiles(_fabric.Folder, "*", SearchOption.AllDirectories))
        {
            byte[] bytes = File.ReadAllBytes(path);
            if (Enumerable.Range(0, Math.Max(0, bytes.Length - (Slice / 2)))
                .Any(at => slices.Contains(KeyOf(bytes.AsSpan(at, Slice / 2)))))
            {
                yield return path;
            }
        }
    }

    private static (ulong, ulong) KeyOf(ReadOnlySpan<byte> sixteen) =>
        (BitConverter.ToUInt64(sixteen), BitConverter.ToUInt64(sixteen[8..]));
}
