using System.Collections.Immutable;
using ZeroStor.Client;
using ZeroStor.CommandLine;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client.Zs;

public sealed class DrainTests
{
    [Fact]
    public async Task It_ends_when_none_drains_any_more_also_of_those_that_were_out_of_reach_meanwhile()
    {
        var fake = new FakeFabric();
        await using var client = new ZeroStorClient(fake.Connect());

        // The first that is asked has not heard of it yet.
        fake.DiskLists.Enqueue(Disks("up", "up", "missing"));
        fake.DiskLists.Enqueue(Disks("draining", "draining", "missing"));
        fake.DiskLists.Enqueue(Disks("draining", "missing", "missing"));
        fake.DiskLists.Enqueue(Disks("drained", "missing", "missing"));

        // The third was missing before and never drained; the last is on another silo.
        fake.DiskLists.Enqueue(Disks("drained", "drained", "missing"));
        await Drain.UntilEmptyAsync(client, d => d.Silo == "a", CancellationToken.None);
        Assert.Empty(fake.DiskLists);
        Assert.Equal(2, fake.Count("hurry-repair"));
    }

    [Fact]
    public async Task What_was_empty_is_not_waited_for_nor_what_somebody_took_back()
    {
        var fake = new FakeFabric();
        await using var client = new ZeroStorClient(fake.Connect());
        fake.DiskLists.Enqueue(Disks("drained"));
        fake.DiskLists.Enqueue(Disks("drained"));
        await Drain.UntilEmptyAsync(client, d => d.Silo == "a", CancellationToken.None);
        fake.DiskLists.Enqueue(Disks("draining", "draining"));
        fake.DiskLists.Enqueue(Disks("up"));
        await Drain.UntilEmptyAsync(client, d => d.Silo == "a", CancellationToken.None);
        Assert.Empty(fake.DiskLists);
        Assert.Equal(0, fake.Count("hurry-repair"));
    }

    private static ImmutableArray<DiskStatus> Disks(params string[] states) =>
    [
        .. states.Append("draining").Select((state, i) => new DiskStatus
        {
            Id = new DiskId((uint)i + 1),
            Silo = i < states.Length ? "a" : "b",
            Path = "/d",
            State = state,
            UsedBytes = 0,
            FreeBytes = 0,
        }),
    ];
}
