using System.Collections.Immutable;
using ZeroStor.CommandLine.Bench;
using ZeroStor.Contracts.Doors;
using SiloStatus = ZeroStor.Contracts.Doors.SiloStatus;

namespace ZeroStor.Tests.Client.Zs.Bench;

public sealed class ProcessorTimesTests
{
    [Fact]
    public void Silos_of_one_process_are_counted_once_and_the_client_apart()
    {
        ProcessorTimes before = Of(1, Silo("a", 1, 10), Silo("b", 1, 10.5), Silo("c", 2, 100));
        ProcessorTimes after = Of(4, Silo("a", 1, 12), Silo("b", 1, 11.5), Silo("c", 2, 103));
        Assert.Equal(TimeSpan.FromSeconds(1.5 + 3), after.SilosSince(before));
        Assert.Equal(TimeSpan.FromSeconds(3), after.ClientSince(before));
    }

    [Fact]
    public void A_silo_that_was_started_again_begins_at_nothing_and_one_that_went_is_left_out()
    {
        ProcessorTimes before = Of(0, Silo("a", 1, 10), Silo("b", 2, 20));
        Assert.Equal(
            TimeSpan.FromSeconds(0.5), Of(0, Silo("a", 3, 0.5), Silo("b", 2, 20)).SilosSince(before));
        Assert.Equal(
            TimeSpan.FromSeconds(1),
            Of(0, Silo("a", 1, 11), Silo("b", null, 0) with { Status = Status("b", "away") })
                .SilosSince(before));
    }

    [Fact]
    public void Where_an_active_silo_does_not_tell_nothing_is_told()
    {
        ProcessorTimes told = Of(0, Silo("a", 1, 10));
        ProcessorTimes untold = Of(0, Silo("a", 1, 11), Silo("b", null, 0));
        Assert.Null(untold.SilosSince(told));
        Assert.Null(told.SilosSince(untold));
    }

    internal static SiloDetails Silo(string name, int? process, double seconds, string address = "") => new()
    {
        Status = Status(name, "active"),
        Address = address,
        Disks = 1,
        DisksUp = 1,
        DisksDraining = 0,
        DisksDrained = 0,
        UsedBytes = 0,
        FreeBytes = 0,
        Processor = process is { } id ? new ProcessorUse((UInt128)id, TimeSpan.FromSeconds(seconds)) : null,
    };

    private static SiloStatus Status(string name, string state) =>
        new() { Name = name, State = state, Labels = Labels.None };

    private static ProcessorTimes Of(double clientSeconds, params ImmutableArray<SiloDetails> silos) =>
        ProcessorTimes.Of(silos, TimeSpan.FromSeconds(clientSeconds));
}
