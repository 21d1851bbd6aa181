using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using ZeroStor.Client;

namespace ZeroStor.Cluster.Tests;

/// <summary>Put, get, list, delete, copy and conditions, through the SDK against a silo with real
/// disks.</summary>
public sealed class ObjectTests : IAsyncLifetime
{
    private TestFabric _fabric = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Vault Vault => _fabric.Client.Vault("default");

    public async ValueTask InitializeAsync() => _fabric = await TestFabric.StartAsync();

    public ValueTask DisposeAsync() => _fabric.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(262_144)]
    [InlineData(262_145)]
    [InlineData(1_048_576)]
    [InlineData(1_048_577)]
    [InlineData(9_000_001)]
    public async Task What_was_put_is_got(int bytes)
    {
        byte[] content = RandomNumberGenerator.GetBytes(bytes);
        ObjectVersion put = await PutAsync("folder/key", content);
        Assert.Equal(bytes, put.Size);
        Assert.Equal(content, await GetAsync("folder/key"));
        ObjectVersion head = await Vault.HeadAsync("folder/key", Cancel);
        Assert.Equal((put.Version, put.ETag, put.Size), (head.Version, head.ETag, head.Size));
    }

    [Fact]
    public async Task A_put_that_began_in_a_former_life_of_the_vault_is_refused_and_not_kept_unreadable()
    {
        await _fabric.Client.CreateVaultAsync("twice", cancel: Cancel);
        using var stream = new EventfulStream(3_000_000, async () =>
        {
            await _fabric.Client.RemoveVaultAsync("twice", cancel: Cancel);
            await _fabric.Client.CreateVaultAsync("twice", cancel: Cancel);
        });
        Vault vault = _fabric.Client.Vault("twice");
        ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
            () => vault.PutAsync("key", stream, cancel: Cancel));
        Assert.Equal(ErrorKind.NotFound, refusal.Kind);
        Assert.Contains("put again", refusal.Message, StringComparison.Ordinal);
        await vault.PutAsync("key", new ReadOnlySequence<byte>(new byte[100]), cancel: Cancel);
    }

    [Fact]
    public async Task A_large_put_goes_through_pages_and_any_range_of_it_is_got()
    {
        // 4+2 has stripes of 1 MiB: 300 of them are two kinds of pages and an open content.
        byte[] content = RandomNumberGenerator.GetBytes(300 * 1024 * 1024 / 4);
        using var stream = new RepeatedStream(content, 4);
        ObjectVersion put = await Vault.PutAsync("large", stream, cancel: Cancel);
        Assert.Equal(4L * content.Length, put.Size);
        foreach (long offset in new long[] { 0, 1, content.Length - 5, (3L * content.Length) - 1_000_000 })
        {
            await using ObjectStream read = await Vault.OpenReadAsync(
                "large", new ReadOptions { Range = ByteRange.OfLength(offset, 2_000_000) }, Cancel);
            byte[] got = new byte[2_000_000];
            await read.ReadExactlyAsync(got, Cancel);
            for (int i = 0; i < got.Length; i += 9973)
            {
                Assert.Equal(content[(offset + i) % content.Length], got[i]);
            }
        }
    }

    [Fact]
    public async Task Headers_and_content_type_come_back()
    {
        await Vault.PutAsync(
            "key",
            new ReadOnlySequence<byte>([1, 2, 3]),
            new PutOptions
            {
                ContentType = "text/plain",
                Headers = ImmutableSortedDictionary<string, string>.Empty.Add("colour", "blé"),
                ETag = () => "front-end",
            },
            Cancel);
        ObjectVersion head = await Vault.HeadAsync("key", Cancel);
        Assert.Equal(("text/plain", "front-end"), (head.ContentType, head.ETag));
        Assert.Equal("blé", head.Headers["colour"]);
    }

    [Fact]
    public async Task Conditions_are_held_inside_the_commit()
    {
        var once = new PutOptions { If = new Precondition { IfNoneMatch = "*" } };
        ObjectVersion first = await Vault.PutAsync("key", Bytes(1), once, Cancel);
        await RefusedAsync(ErrorKind.PreconditionFailed, () => Vault.PutAsync("key", Bytes(2), once, Cancel));
        ObjectVersion second = await Vault.PutAsync(
            "key", Bytes(3), new PutOptions { If = new Precondition { IfMatch = first.ETag } }, Cancel);
        await RefusedAsync(
            ErrorKind.PreconditionFailed,
            () => Vault.PutAsync(
                "key", Bytes(4), new PutOptions { If = new Precondition { IfMatch = first.ETag } }, Cancel));
        await RefusedAsync(
            ErrorKind.PreconditionFailed,
            () => Vault.DeleteAsync("key", new Precondition { IfMatch = first.ETag }, Cancel));
        Assert.Equal([3], await GetAsync("key"));
        Assert.True(await Vault.DeleteAsync("key", new Precondition { IfMatch = second.ETag }, Cancel));
    }

    [Fact]
    public async Task A_deleted_key_is_gone_at_once()
    {
        await PutAsync("key", [1]);
        Assert.True(await Vault.DeleteAsync("key", cancel: Cancel));
        Assert.False(await Vault.DeleteAsync("key", cancel: Cancel));
        await RefusedAsync(ErrorKind.NotFound, () => Vault.HeadAsync("key", Cancel));
        await RefusedAsync(ErrorKind.NotFound, () => GetAsync("key"));
        Assert.Empty(await ListAsync(new ListOptions()));
    }

    [Fact]
    public async Task A_copy_lives_on_when_its_source_is_deleted()
    {
        byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
        ObjectVersion put = await PutAsync("source", content);
        ObjectVersion copy = await Vault.CopyAsync("source", "copy", cancel: Cancel);
        Assert.NotEqual(put.Version, copy.Version);
        Assert.True(await Vault.DeleteAsync("source", cancel: Cancel));
        Assert.Equal(content, await GetAsync("copy"));
        await RefusedAsync(ErrorKind.NotFound, () => Vault.CopyAsync("source", "again", cancel: Cancel));
    }

    [Fact]
    public async Task Listings_are_in_byte_order_and_fold_by_delimiter()
    {
        foreach (string key in new[] { "b", "a/2", "a/1", "a/sub/3", "é", "aa", "a" })
        {
            await PutAsync(key, [1]);
        }

        Assert.Equal(["a", "a/1", "a/2", "a/sub/3", "aa", "b", "é"], await ListAsync(new ListOptions()));
        Assert.Equal(["a", "a/", "aa", "b", "é"], await ListAsync(new ListOptions { Delimiter = "/" }));
        Assert.Equal(
            ["a/1", "a/2", "a/sub/"], await ListAsync(new ListOptions { Prefix = "a/", Delimiter = "/" }));
        Assert.Equal(["b", "é"], await ListAsync(new ListOptions { StartAfter = "aa" }));
    }

    [Fact]
    public async Task Bad_keys_and_absent_vaults_are_refused()
    {
        await RefusedAsync(ErrorKind.InvalidArgument, () => PutAsync(new string('x', 1025), [1]));
        await RefusedAsync(ErrorKind.InvalidArgument, () => PutAsync("", [1]));
        await RefusedAsync(
            ErrorKind.NotFound, () => _fabric.Client.Vault("absent").PutAsync("key", Bytes(1), cancel: Cancel));
    }

    [Fact]
    public async Task An_overwrite_shows_the_new_bytes_to_every_later_read()
    {
        for (byte round = 0; round < 20; round++)
        {
            byte[] content = new byte[100_000];
            content.AsSpan().Fill(round);
            await PutAsync("key", content);
            Assert.Equal(content, await GetAsync("key"));
        }
    }

    [Fact]
    public async Task A_cancelled_put_leaves_nothing_to_see()
    {
        using var cancel = new CancellationTokenSource();
        using var stream = new CancellingStream(5_000_000, cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Vault.PutAsync("key", stream, cancel: cancel.Token));
        await RefusedAsync(ErrorKind.NotFound, () => Vault.HeadAsync("key", Cancel));
    }

    private static ReadOnlySequence<byte> Bytes(byte value) => new([value]);

    private Task<ObjectVersion> PutAsync(string key, byte[] content) =>
        Vault.PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);

    private async Task<byte[]> GetAsync(string key)
    {
        await using ObjectStream read = await Vault.OpenReadAsync(key, cancel: Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    private async Task<List<string>> ListAsync(ListOptions options)
    {
        var keys = new List<string>();
        await foreach (ListEntry entry in Vault.ListAsync(options, Cancel))
        {
            keys.Add(entry.Key);
        }

        return keys;
    }

    private static async Task RefusedAsync(ErrorKind kind, Func<Task> call) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind);
}
