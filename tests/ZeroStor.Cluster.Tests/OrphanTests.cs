using System.Buffers;
using System.Security.Cryptography;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Cluster.Tests;

/// <summary>What nobody committed leaves the disks.</summary>
public sealed class OrphanTests
{
    private const int Deaths = 1000;
    private const int ClientsAtOnce = 8;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thousand_clients_that_died_before_their_commit_leave_nothing()
    {
        await using TestFabric fabric = await TestFabric.StartAsync(o =>
        {
            o.TickSeconds = 1;
            o.OrphanAfterTicks = 3;
            o.ReclaimAfterTicks = 1;
            o.ForgetAfterTicks = 4;
            o.MaxPuts = 2 * Deaths;
        });
        byte[] content = RandomNumberGenerator.GetBytes(150_000);
        await fabric.Client.Vault("default").PutAsync("kept", new ReadOnlySequence<byte>(content), cancel: Cancel);
        FabricRoute route = await fabric.Grains.GetGrain<IFabricDoor>(0).RouteAsync(Cancel);
        IStripeDoor[] doors = [.. route.Coordinators.Select(c => fabric.Grains.GetGrain<IStripeDoor>(c.Key))];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Deaths),
            new ParallelOptions { MaxDegreeOfParallelism = ClientsAtOnce, CancellationToken = Cancel },
            async (i, token) => await DieBeforeCommitAsync(doors[i % doors.Length], i, token));
        await Eventually.HoldsAsync(
            async () => (await fabric.Client.StatusAsync(Cancel)).Ledger.Stripes == 1, "only what was committed is held");

        // By the volumes' own bytes, too.
        await fabric.StopAsync();
        List<ColdShard> held =
            [.. Directory.GetDirectories(fabric.Folder, "disk*").SelectMany(ColdDisk.Read)];
        Assert.Equal(6, held.Count);
        Assert.Single(held.DistinctBy(s => s.Content));
        await fabric.StartSiloAsync();
        await using ObjectStream read = await fabric.Client.Vault("default").OpenReadAsync("kept", cancel: Cancel);
        using var all = new MemoryStream();
        await read.CopyToAsync(all, Cancel);
        Assert.Equal(content, all.ToArray());
    }

    // All that a client does for a put of one stripe, but for the last call.
    private static async Task DieBeforeCommitAsync(IStripeDoor door, int number, CancellationToken cancel)
    {
        PutTicket ticket = await door.OpenPutAsync(new OpenPut { Vault = "default" }, cancel);
        int bytes = 1 + (number * 37 % 5000);
        BufferSlice piece = BufferPool.Shared.RentSlice(bytes);
        RandomNumberGenerator.Fill(piece.Span);
        StripeWritten written = await door.WriteStripeAsync(
            new WriteStripeOrder
            {
                LastPiece = new PutPiece
                {
                    Put = ticket.Put,
                    Ordinal = 0,
                    StripeBytes = bytes,
                    Offset = 0,
                    Bytes = new Parcel(piece),
                },
                Draft = new CommitDraft($"dead{number}", DateTimeOffset.UnixEpoch, new Manifest
                {
                    Version = new VersionId(1),
                    Size = bytes,
                    Contents =
                    [
                        new ContentRef
                        {
                            Id = ticket.Content,
                            WrappedKey = [.. ticket.WrappedKey],
                            Code = ticket.Code,
                            Bytes = bytes,
                            Stripes = [],
                        },
                    ],
                    Extents = [new Extent(0, 0, bytes)],
                }).Encode(),
            },
            cancel);
        Assert.Equal(0, written.Missing);
    }
}
