using System.Buffers;
using System.Security.Cryptography;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Cluster.Tests;

/// <summary>Uploads in parts through the SDK against a silo with real disks: what they come to, and what is
/// left of them when whoever made them dies.</summary>
public sealed class UploadTests
{
    private const int Stripe = 1024 * 1024;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Parts_put_at_once_are_read_as_one_object_whole_and_in_ranges()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        Vault vault = fabric.Client.Vault("default");
        Upload upload = await vault.BeginUploadAsync(
            "large", new UploadOptions { ContentType = "text/plain" }, Cancel);
        int[] sizes = [5 * Stripe, (6 * Stripe) + 1, 1, 0, 300_000, Stripe];
        byte[][] contents = [.. sizes.Select(RandomNumberGenerator.GetBytes)];
        PartName[] parts = await Task.WhenAll(contents.Select(async (content, i) =>
        {
            PartInfo part = await upload.PutPartAsync(
                10 * (i + 1), new ReadOnlySequence<byte>(content), cancel: Cancel);
            return new PartName(part.Number, part.ETag);
        }));
        await upload.PutPartAsync(7, new ReadOnlySequence<byte>(new byte[100]), cancel: Cancel);

        // A silo that starts anew goes on with it.
        await fabric.StopAsync();
        await fabric.StartSiloAsync();
        vault = fabric.Client.Vault("default");
        ObjectVersion made = await vault.OpenUpload("large", upload.Id).CompleteAsync(parts, cancel: Cancel);
        byte[] whole = [.. contents.SelectMany(c => c)];
        Assert.Equal((whole.Length, "text/plain"), (made.Size, made.ContentType));
        Assert.Equal(whole, await GetAsync(vault, "large"));
        foreach ((int from, int bytes) in new[] { ((5 * Stripe) - 3, 6), (0, 1), ((11 * Stripe) - 2, 300_000) })
        {
            Assert.Equal(whole[from..(from + bytes)], await GetAsync(vault, "large", ByteRange.OfLength(from, bytes)));
        }

        Assert.Empty(await vault.ListUploadsAsync(cancel: Cancel).ToListAsync(Cancel));
        int stripes = sizes.Sum(s => Geometry.StripeCount(new Code(4, 2), s));
        Assert.Equal(stripes * 6, await vault.LocateAsync("large", Cancel).CountAsync(Cancel));
    }

    [Fact]
    public async Task A_part_of_another_object_moves_no_bytes_and_outlives_it()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        Vault vault = fabric.Client.Vault("default");
        byte[] content = RandomNumberGenerator.GetBytes(3_500_000);
        await vault.PutAsync("source", new ReadOnlySequence<byte>(content), cancel: Cancel);
        long before = (await fabric.Client.StatusAsync(Cancel)).Ledger.Stripes;
        Upload upload = await vault.BeginUploadAsync("k", cancel: Cancel);
        PartInfo first = await upload.CopyPartAsync(
            1, vault, "source", new CopyPartOptions { Range = ByteRange.OfLength(1_000_000, 2_000_000) }, Cancel);
        PartInfo second = await upload.PutPartAsync(2, new ReadOnlySequence<byte>([1, 2, 3]), cancel: Cancel);
        Assert.True(await vault.DeleteAsync("source", cancel: Cancel));
        await upload.CompleteAsync([new(1, first.ETag), new(2, second.ETag)], cancel: Cancel);
        byte[] expected = [.. content[1_000_000..3_000_000], 1, 2, 3];
        Assert.Equal(expected, await GetAsync(vault, "k"));
        Assert.Equal(before + 1, (await fabric.Client.StatusAsync(Cancel)).Ledger.Stripes);

        // Into another vault they go through the client.
        await fabric.Client.CreateVaultAsync("other", cancel: Cancel);
        Vault other = fabric.Client.Vault("other");
        Upload into = await other.BeginUploadAsync("k", cancel: Cancel);
        PartInfo copied = await into.CopyPartAsync(
            1, vault, "k", new CopyPartOptions { Range = ByteRange.OfLength(5, 1_500_000) }, Cancel);
        await into.CompleteAsync([new(1, copied.ETag)], cancel: Cancel);
        Assert.Equal(expected[5..1_500_005], await GetAsync(other, "k"));
        await fabric.Client.RemoveVaultAsync("other", withContent: true, Cancel);
    }

    [Fact]
    public async Task An_upload_that_ended_takes_nothing_and_says_so()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        Vault vault = fabric.Client.Vault("default");
        Upload upload = await vault.BeginUploadAsync("k", cancel: Cancel);
        PartInfo part = await upload.PutPartAsync(1, new ReadOnlySequence<byte>([1]), cancel: Cancel);
        await RefusedAsync(
            ErrorKind.InvalidArgument, () => upload.CompleteAsync([new(1, "other")], cancel: Cancel));
        await RefusedAsync(ErrorKind.InvalidArgument, () => upload.CompleteAsync([], cancel: Cancel));
        await RefusedAsync(
            ErrorKind.PreconditionFailed,
            () => upload.CompleteAsync(
                [new(1, part.ETag)], new CompleteOptions { If = new() { IfMatch = "*" } }, Cancel));
        Assert.True(await upload.AbortAsync(Cancel));
        Assert.False(await upload.AbortAsync(Cancel));
        await RefusedAsync(ErrorKind.NotFound, () => upload.CompleteAsync([new(1, part.ETag)], cancel: Cancel));
        await RefusedAsync(
            ErrorKind.NotFound, () => upload.PutPartAsync(2, new ReadOnlySequence<byte>([1]), cancel: Cancel));
        await RefusedAsync(ErrorKind.NotFound, () => upload.DescribeAsync(Cancel));
        await RefusedAsync(
            ErrorKind.NotFound, () => fabric.Client.Vault("absent").BeginUploadAsync("k", cancel: Cancel));
    }

    [Fact]
    public async Task Whoever_dies_at_any_step_leaves_the_old_version_or_the_new_one_and_nothing_else_on_disks()
    {
        await using TestFabric fabric = await TestFabric.StartAsync();
        Vault vault = fabric.Client.Vault("default");
        byte[] old = RandomNumberGenerator.GetBytes(10_000);
        byte[] fresh = RandomNumberGenerator.GetBytes(20_000);
        Func<Upload, Task>[] steps =
        [
            _ => Task.CompletedTask,
            upload => DieBeforeEnteringAsync(fabric, upload),
            upload => upload.PutPartAsync(1, new ReadOnlySequence<byte>(new byte[30_000]), cancel: Cancel),
            upload => upload.PutPartAsync(1, new ReadOnlySequence<byte>(fresh), cancel: Cancel),
            upload => upload.PutPartAsync(2, new ReadOnlySequence<byte>(new byte[40_000]), cancel: Cancel),
            async upload => await upload.CompleteAsync(
                [new(1, (await upload.ListPartsPageAsync(0, 1, Cancel))[0].ETag)], cancel: Cancel),
        ];
        for (int done = 0; done <= steps.Length; done++)
        {
            string key = $"key{done}";
            await vault.PutAsync(key, new ReadOnlySequence<byte>(old), cancel: Cancel);
            Upload upload = await vault.BeginUploadAsync(key, cancel: Cancel);
            foreach (Func<Upload, Task> step in steps[..done])
            {
                await step(upload);
            }
        }

        // From here on nobody goes on with any of it, and a day is short.
        await fabric.StopAsync();
        await fabric.StartSiloAsync(o =>
        {
            o.TickSeconds = 0.4;
            o.OrphanAfterTicks = 2;
            o.ReclaimAfterTicks = 1;
            o.ForgetAfterTicks = 2;
            o.UploadIdleTicks = 1;
        });
        vault = fabric.Client.Vault("default");
        await Eventually.HoldsAsync(
            async () => !await vault.ListUploadsAsync(cancel: Cancel).AnyAsync(Cancel), "idle uploads are given up");
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Ledger.Stripes == steps.Length + 1,
            "of each key one stripe is held");
        for (int done = 0; done <= steps.Length; done++)
        {
            Assert.Equal(done == steps.Length ? fresh : old, await GetAsync(vault, $"key{done}"));
        }

        // By the volumes' own bytes, too.
        await fabric.StopAsync();
        List<ColdShard> held = [.. Directory.GetDirectories(fabric.Folder, "disk*").SelectMany(ColdDisk.Read)];
        Assert.Equal(6 * (steps.Length + 1), held.Count);
    }

    // All that a client does for a part, but for the last call.
    private static async Task DieBeforeEnteringAsync(TestFabric fabric, Upload upload)
    {
        FabricRoute route = await fabric.Grains.GetGrain<IFabricDoor>(0).RouteAsync(Cancel);
        IStripeDoor door = fabric.Grains.GetGrain<IStripeDoor>(route.Coordinators[0].Key);
        PutTicket ticket = await door.OpenPutAsync(new OpenPut { Vault = "default" }, Cancel);
        await fabric.Grains.GetGrain<IObjectDoor>(ObjectDoor.KeyOf("default", 16, upload.Key))
            .OpenContentAsync(ticket.Content, Cancel);
        BufferSlice piece = BufferPool.Shared.RentSlice(5_000);
        piece.Span.Clear();
        await door.WriteStripeAsync(
            new WriteStripeOrder
            {
                LastPiece = new PutPiece
                {
                    Put = ticket.Put, Ordinal = 0, StripeBytes = 5_000, Offset = 0, Bytes = new Parcel(piece),
                },
            },
            Cancel);
    }

    private static async Task<byte[]> GetAsync(Vault vault, string key, ByteRange? range = null)
    {
        await using ObjectStream read = await vault.OpenReadAsync(key, new ReadOptions { Range = range }, Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    private static async Task RefusedAsync(ErrorKind kind, Func<Task> call) =>
        Assert.Equal(kind, (await Assert.ThrowsAsync<ZeroStorException>(call)).Kind);
}
