using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Cluster.Tests;

/// <summary>Content that compresses, in vaults that compress and in one that does not, whoever keeps the keys.
/// </summary>
public sealed class CompressionTests : IAsyncLifetime
{
    private readonly List<ServiceProvider> _clients = [];
    private TestFabric _fabric = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fabric = await TestFabric.StartAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (ServiceProvider client in _clients)
        {
            await client.DisposeAsync();
        }

        await _fabric.DisposeAsync();
    }

    [Fact]
    public async Task Text_is_got_whole_and_in_ranges_and_takes_half_whoever_keeps_the_keys()
    {
        byte[] content = Log(2_500_000);
        foreach (Vault vault in (Vault[])[_fabric.Client.Vault("default"), await OwnedAsync(Compression.Auto)])
        {
            ObjectVersion version = await PutAsync(vault, content);
            Assert.Equal(content.Length, version.Size);
            Assert.Equal(content, await GetAsync(vault, null));
            foreach ((int from, int to) in ((int, int)[])[
                (0, 0), (65_530, 65_540), (1_000_000, 1_100_000), (content.Length - 1, content.Length - 1)])
            {
                Assert.Equal(content[from..(to + 1)], await GetAsync(vault, ByteRange.Between(from, to)));
            }

            // Six shards of which four hold the data.
            Assert.InRange(await StoredBytesAsync(vault), content.Length / 10, content.Length * 3 / 4);
        }
    }

    [Fact]
    public async Task A_vault_without_compression_says_so_and_stores_all_of_the_length()
    {
        byte[] content = Log(1_500_000);
        VaultInfo made = await _fabric.Client.CreateVaultAsync(
            "replies", new VaultSpec { Compression = Compression.Off }, Cancel);
        Assert.Equal(Compression.Off, made.Compression);
        foreach (Vault vault in (Vault[])[_fabric.Client.Vault("replies"), await OwnedAsync(Compression.Off)])
        {
            Assert.Equal(Compression.Off, (await vault.DescribeAsync(Cancel)).Compression);
            await PutAsync(vault, content);
            Assert.Equal(content, await GetAsync(vault, null));
            Assert.InRange(await StoredBytesAsync(vault), content.Length * 3 / 2, content.Length * 2);
        }

        Assert.Equal(Compression.Auto, (await _fabric.Client.Vault("default").DescribeAsync(Cancel)).Compression);
    }

    [Fact]
    public async Task Shards_of_compressed_stripes_that_lie_are_found_out_and_replaced_whoever_keeps_the_keys()
    {
        _fabric.LeavesDamage = true;
        byte[] content = Log(900_000);
        foreach (Vault vault in (Vault[])[_fabric.Client.Vault("default"), await OwnedAsync(Compression.Auto)])
        {
            await PutAsync(vault, content);
            ShardPlace[] places = [.. await vault.LocateAsync("key", Cancel).ToArrayAsync(Cancel)];
            foreach (ShardPlace place in places.Where(p => p.Index < 2))
            {
                // Within the index, where the stripe begins.
                Rot.Flip(place.File, place.Offset + 3);
            }

            Assert.Equal(content[10..21], await GetAsync(vault, ByteRange.Between(10, 20)));
            Assert.Equal(content, await GetAsync(vault, null));
        }
    }

    [Fact]
    public async Task Whether_to_compress_can_be_set_and_what_was_put_before_reads_back()
    {
        byte[] content = Log(1_500_000);
        var time = new FakeTimeProvider();
        foreach (Vault vault in (Vault[])[_fabric.Client.Vault("default"), await OwnedAsync(Compression.Auto, time)])
        {
            await PutAsync(vault, content, "before");
            Vault other = _fabric.Client.Vault(vault.Name);
            Assert.Equal(Compression.Off, (await other.SetCompressionAsync(Compression.Off, Cancel)).Compression);
            Assert.Equal(Compression.Off, (await vault.DescribeAsync(Cancel)).Compression);

            // A client that has the owner's keys looks anew each minute.
            time.Advance(TimeSpan.FromSeconds(61));
            await PutAsync(vault, content, "after");
            await other.SetCompressionAsync(Compression.Auto, Cancel);
            time.Advance(TimeSpan.FromSeconds(61));
            await PutAsync(vault, content, "again");
            long before = await StoredBytesAsync(vault, "before");
            Assert.InRange(before, content.Length / 10, content.Length * 3 / 4);
            Assert.InRange(await StoredBytesAsync(vault, "after"), content.Length * 3 / 2, content.Length * 2);
            Assert.Equal(before, await StoredBytesAsync(vault, "again"));
            foreach (string key in (string[])["before", "after", "again"])
            {
                Assert.Equal(content, await GetAsync(vault, null, key));
            }

            ZeroStorException refusal = await Assert.ThrowsAsync<ZeroStorException>(
                () => other.SetCompressionAsync((Compression)2, Cancel));
            Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        }
    }

    [Fact]
    public async Task Parts_of_uploads_and_copies_of_ranges_carry_how_each_stripe_was_sealed()
    {
        byte[] text = Log(2_300_000);
        byte[] random = RandomNumberGenerator.GetBytes(1_200_000);
        foreach (Vault vault in (Vault[])[_fabric.Client.Vault("default"), await OwnedAsync(Compression.Auto)])
        {
            await PutAsync(vault, text);
            Upload upload = await vault.BeginUploadAsync("parts", cancel: Cancel);
            PartInfo[] parts =
            [
                await upload.PutPartAsync(1, new ReadOnlySequence<byte>(text), cancel: Cancel),
                await upload.PutPartAsync(2, new ReadOnlySequence<byte>(random), cancel: Cancel),
                await upload.CopyPartAsync(
                    3, vault, "key", new CopyPartOptions { Range = ByteRange.Between(70_000, 1_999_999) }, Cancel),
            ];
            await upload.CompleteAsync(parts.Select(p => new PartName(p.Number, p.ETag)), cancel: Cancel);
            await vault.CopyAsync("parts", "copy", cancel: Cancel);
            Assert.True(await vault.DeleteAsync("key", cancel: Cancel));
            byte[] whole = [.. text, .. random, .. text[70_000..2_000_000]];
            foreach (string key in (string[])["parts", "copy"])
            {
                Assert.Equal(whole, await GetAsync(vault, null, key));
                foreach ((int from, int to) in ((int, int)[])[
                    (text.Length - 10, text.Length + 10), (3_499_990, 3_500_010), (3_600_000, 4_700_000)])
                {
                    Assert.Equal(whole[from..(to + 1)], await GetAsync(vault, ByteRange.Between(from, to), key));
                }
            }

            Assert.InRange(await StoredBytesAsync(vault, "parts"), random.Length * 3 / 2, whole.Length);
        }
    }

    private async Task<Vault> OwnedAsync(Compression compression, TimeProvider? time = null)
    {
        PrivateKeys keys = PrivateKeys.Generate(VaultId.New(SystemEntropy.Instance), null, SystemEntropy.Instance);
        byte[] keyFile = PrivateKeysText.ToText(keys);
        string name = $"private-{compression.ToString().ToLowerInvariant()}";
        await _fabric.Client.CreateOwnedVaultAsync(name, keys, new VaultSpec { Compression = compression }, Cancel);
        keys.Dispose();
        ServiceProvider services = new ServiceCollection()
            .AddSingleton(_fabric.Grains)
            .AddSingleton(time ?? TimeProvider.System)
            .AddZeroStorClient(o => o.OwnerKeys = _ => PrivateKeysText.FromText(keyFile))
            .BuildServiceProvider();
        _clients.Add(services);
        return services.GetRequiredService<ZeroStorClient>().Vault(name);
    }

    private static Task<ObjectVersion> PutAsync(Vault vault, byte[] content, string key = "key") =>
        vault.PutAsync(key, new ReadOnlySequence<byte>(content), cancel: Cancel);

    private static async Task<byte[]> GetAsync(Vault vault, ByteRange? range, string key = "key")
    {
        await using ObjectStream stream =
            await vault.OpenReadAsync(key, new ReadOptions { Range = range }, Cancel);
        using var got = new MemoryStream();
        await stream.CopyToAsync(got, Cancel);
        return got.ToArray();
    }

    private static async Task<long> StoredBytesAsync(Vault vault, string key = "key")
    {
        ShardPlace[] places = await vault.LocateAsync(key, Cancel).ToArrayAsync(Cancel);
        return places.Sum(p => (long)p.Length);
    }

    // Lines as logs have them, and in the middle what does not compress.
    private static byte[] Log(int bytes)
    {
        var text = new StringBuilder();
        for (int line = 0; text.Length < bytes; line++)
        {
            text.Append("silo ").Append(line % 28).Append(" stored shard ").Append(line * 7919 % 65_521)
                .Append(" of stripe ").Append(line).Append(" and its home answered that it is durable\n");
        }

        byte[] content = Encoding.ASCII.GetBytes(text.ToString(0, bytes));
        RandomNumberGenerator.Fill(content.AsSpan(bytes / 2, bytes / 20));
        return content;
    }
}
