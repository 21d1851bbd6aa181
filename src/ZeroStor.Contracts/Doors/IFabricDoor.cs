using System.Collections.Immutable;

namespace ZeroStor.Contracts.Doors;

/// <summary>The fabric as clients may see it. The key is 0.</summary>
[Alias("zs.fabric-door")]
public interface IFabricDoor : IGrainWithIntegerKey
{
    /// <summary>What a client needs to find its way: coordinators and defaults.</summary>
    [Alias("route"), AnyGateway]
    Task<FabricRoute> RouteAsync(CancellationToken cancel);

    /// <summary>The name of the silo whose gateway the call came through, which is the one that answers.</summary>
    [Alias("silo"), AnyGateway]
    Task<string> SiloAsync(CancellationToken cancel);

    [Alias("status"), AnyGateway]
    Task<FabricStatus> StatusAsync(CancellationToken cancel);

    /// <summary>How repair stands; <paramref name="hurry"/> begins a round at once.</summary>
    [Alias("repair"), AnyGateway]
    Task<RepairProgress> RepairAsync(bool hurry, CancellationToken cancel);

    /// <summary>How the census stands; <paramref name="begin"/> takes one at once.</summary>
    [Alias("census"), AnyGateway]
    Task<CensusProgress> CensusAsync(bool begin, CancellationToken cancel);

    /// <summary>How the adoption of a catalog that went back stands; <paramref name="step"/> begins
    /// one.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed: the catalog did not go back.</exception>
    [Alias("adopt"), AnyGateway]
    Task<AdoptProgress> AdoptAsync(AdoptStep step, CancellationToken cancel);

    /// <summary>Puts the next master key, which all silos were given, in the place of the fabric's. May be repeated.
    /// </summary>
    /// <exception cref="ZeroStorException">PreconditionFailed: some silo has no next master key, or another one.
    /// </exception>
    [Alias("rotate-master"), AnyGateway]
    [ResponseTimeout(FabricDoor.OrderTimeout)]
    Task<MasterRotated> RotateMasterKeyAsync(CancellationToken cancel);

    [Alias("list-vaults"), AnyGateway]
    Task<ImmutableArray<VaultInfo>> ListVaultsAsync(CancellationToken cancel);

    /// <summary>The disks of the fabric, without those that were removed.</summary>
    [Alias("list-disks"), AnyGateway]
    Task<ImmutableArray<DiskStatus>> ListDisksAsync(CancellationToken cancel);

    /// <summary>All that is known of a disk, a removed one too.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    [Alias("show-disk"), AnyGateway]
    Task<DiskDetails> ShowDiskAsync(DiskId disk, CancellationToken cancel);

    /// <summary>Makes an empty folder of a silo a disk, or takes in one that is a disk of this fabric. Not to
    /// be repeated: a second call finds the folder taken.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: no path from the root, or which silo is not
    /// clear; NotFound: no such folder, silo or disk to replace; AlreadyExists: it is a disk that is open;
    /// PreconditionFailed: it is a removed disk's, or another fabric's; Corrupt: it holds something
    /// else.</exception>
    [Alias("add-disk"), AnyGateway]
    [ResponseTimeout(FabricDoor.OrderTimeout)]
    Task<DiskAdded> AddDiskAsync(AddDisk add, CancellationToken cancel);

    /// <summary>Takes a disk out of the fabric for good: its places go to others, its silo closes it and
    /// never takes it in again. Its folder is left as it is.</summary>
    /// <param name="disk">Which.</param>
    /// <param name="leaveShort">Whether places that no other disk can take may wait for one to be
    /// added.</param>
    /// <param name="cancel">Gives up asking.</param>
    /// <exception cref="ZeroStorException">NotFound; PolicyUnsatisfiable: a group would have fewer than k
    /// whole places, or places would wait and <paramref name="leaveShort"/> is false.</exception>
    [Alias("remove-disk"), AnyGateway]
    [ResponseTimeout(FabricDoor.OrderTimeout)]
    Task<DiskRemoved> RemoveDiskAsync(DiskId disk, bool leaveShort, CancellationToken cancel);

    /// <summary>Begins to empty a disk in order: its places go to others, which copy what it holds. Repeating it
    /// changes nothing.</summary>
    /// <returns>Places that others are to take.</returns>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it is not up; PolicyUnsatisfiable: no
    /// other disk can take some of its places.</exception>
    [Alias("drain-disk"), AnyGateway]
    Task<int> DrainDiskAsync(DiskId disk, CancellationToken cancel);

    /// <summary>Opens again a disk that failed a write or is missing; one that is up stays as it
    /// is.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it was removed; and whatever stands
    /// against opening it.</exception>
    [Alias("reset-disk"), AnyGateway]
    [ResponseTimeout(FabricDoor.OrderTimeout)]
    Task<DiskReset> ResetDiskAsync(DiskId disk, CancellationToken cancel);

    /// <summary>Every silo that is there, that the fabric has disks of, or that membership remembers.</summary>
    [Alias("list-silos"), AnyGateway]
    Task<ImmutableArray<SiloDetails>> ListSilosAsync(CancellationToken cancel);

    /// <summary>Takes all disks of a silo out of the fabric for good, in one step, whether it is there or not: as
    /// <see cref="RemoveDiskAsync"/> for each.</summary>
    /// <param name="silo">Which.</param>
    /// <param name="leaveShort">Whether places that no other silo's disk can take may wait for one to be
    /// added.</param>
    /// <param name="cancel">Gives up asking.</param>
    /// <exception cref="ZeroStorException">NotFound: it has no disks; PolicyUnsatisfiable: a group would have fewer
    /// than k whole places, or places would wait and <paramref name="leaveShort"/> is false.</exception>
    [Alias("remove-silo"), AnyGateway]
    [ResponseTimeout(FabricDoor.OrderTimeout)]
    Task<SiloRemoved> RemoveSiloAsync(string silo, bool leaveShort, CancellationToken cancel);

    /// <summary>Begins to empty all disks of a silo that are up, in one step: as <see cref="DrainDiskAsync"/> for
    /// each, and refused where the classes cannot do without all of them.</summary>
    /// <returns>Places that others are to take.</returns>
    /// <exception cref="ZeroStorException">NotFound: it has no disks; PreconditionFailed: it is away, or none of
    /// them is up; PolicyUnsatisfiable: no other disks can take all their places.</exception>
    [Alias("drain-silo"), AnyGateway]
    Task<int> DrainSiloAsync(string silo, CancellationToken cancel);

    /// <summary>Begins to read all shards of these disks again at full speed, where the order's name is new;
    /// tells how it stands. An order without disks is for all that can be read.</summary>
    /// <exception cref="ZeroStorException">NotFound: no such disk; DiskOffline: it is missing; Busy: too many
    /// are under way.</exception>
    [Alias("begin-scrub"), AnyGateway]
    Task<ScrubProgress> BeginScrubAsync(ScrubOrder order, CancellationToken cancel);

    /// <summary>How a scrub stands. A disk whose silo was started again meanwhile has failed it.</summary>
    [Alias("scrub-progress"), AnyGateway]
    Task<ScrubProgress> ScrubProgressAsync(ScrubOrder order, CancellationToken cancel);
}

/// <summary>What both sides of the fabric's door hold to.</summary>
public static class FabricDoor
{
    /// <summary>How long an order to a disk may take: opening one replays its volumes.</summary>
    public const string OrderTimeout = "00:05:00";
}

[GenerateSerializer, Immutable, Alias("zs.fabric-route")]
public sealed record FabricRoute
{
    [Id(0)] public required FabricId Fabric { get; init; }

    [Id(1)] public required Tick Tick { get; init; }

    [Id(2)] public required long MapVersion { get; init; }

    [Id(3)] public required ImmutableArray<CoordinatorInfo> Coordinators { get; init; }

    /// <summary>The gateways of the active silos, as far as the silo that answers knows them.</summary>
    [Id(4)] public ImmutableArray<SiloGateway> Gateways { get; init; } = [];
}

/// <summary>A silo's gateway.</summary>
/// <param name="Silo">The silo's name.</param>
/// <param name="Address">Where it says that it listens: <c>IP:PORT</c>.</param>
[GenerateSerializer, Immutable, Alias("zs.silo-gateway")]
public sealed record SiloGateway([property: Id(0)] string Silo, [property: Id(1)] string Address);

/// <summary>A disk grain that takes stripes.</summary>
[GenerateSerializer, Immutable, Alias("zs.coordinator")]
public sealed record CoordinatorInfo
{
    /// <summary>Key of its <see cref="IStripeDoor"/>.</summary>
    [Id(0)] public required string Key { get; init; }

    [Id(1)] public required string Silo { get; init; }

    [Id(2)] public required Labels Labels { get; init; }

    /// <summary>The claim under which its disk was opened. Another one tells a client that the silo was
    /// restarted: what it asked of the former life will never be answered.</summary>
    [Id(3)] public uint Claim { get; init; }
}

[GenerateSerializer, Immutable, Alias("zs.fabric-status")]
public sealed record FabricStatus
{
    [Id(0)] public required FabricId Fabric { get; init; }

    [Id(1)] public required Tick Tick { get; init; }

    [Id(2)] public required ImmutableArray<SiloStatus> Silos { get; init; }

    [Id(3)] public required ImmutableArray<DiskStatus> Disks { get; init; }

    [Id(4)] public required Ledger Ledger { get; init; }

    /// <summary>Since the silos started, summed over those that answer: stripesWritten, stripesRead, stripesDecoded,
    /// shardsRepaired, and what else they count.</summary>
    [Id(5)] public required ImmutableSortedDictionary<string, long> Counters { get; init; }

    /// <summary>What an operator should know, a sentence each.</summary>
    [Id(6)] public required ImmutableArray<string> Notices { get; init; }

    /// <summary>Whether the catalog went back, so that nothing is reclaimed until it is adopted.</summary>
    [Id(7)] public bool IsBehind { get; init; }

    /// <summary>How repair stands; null when the silo that sees to it does not answer.</summary>
    [Id(8)] public RepairProgress? Repair { get; init; }
}

/// <summary>What repair does, and has done since its scheduler woke.</summary>
[GenerateSerializer, Immutable, Alias("zs.repair-progress")]
public sealed record RepairProgress
{
    /// <summary>Groups that the last sweep found unequal or with places that are not whole.</summary>
    [Id(0)] public required int GroupsToRepair { get; init; }

    /// <summary>Rounds of sweep and repair that ended.</summary>
    [Id(1)] public required long Rounds { get; init; }

    /// <summary>Shards decoded from others and stored at their homes.</summary>
    [Id(2)] public required long ShardsRebuilt { get; init; }

    /// <summary>Shards copied from former homes.</summary>
    [Id(3)] public required long ShardsCopied { get; init; }

    /// <summary>Shards that the last round could not restore.</summary>
    [Id(4)] public required long ShardsLeft { get; init; }

    [Id(5)] public required long BytesRead { get; init; }

    [Id(6)] public required long BytesWritten { get; init; }

    /// <summary>Time spent repairing, for a rate.</summary>
    [Id(7)] public required TimeSpan Busy { get; init; }

    /// <summary>What the 99th of a hundred gets of a stripe takes meanwhile, at the slowest silo; zero until enough
    /// were seen.</summary>
    [Id(8)] public required TimeSpan GetP99 { get; init; }

    /// <summary>Shards read for all this: of good ones at most one for each that was copied, and k for each that
    /// was rebuilt.</summary>
    [Id(9)] public required long ShardsRead { get; init; }

    /// <summary>What is being repaired; null while nothing is.</summary>
    [Id(10)] public RepairRound? Round { get; init; }

    /// <summary>The silo that sees to it now.</summary>
    [Id(11)] public required string Silo { get; init; }

    /// <summary>Stripes that may be restored at once: few while that slows the homes down.</summary>
    [Id(12)] public required int StripesAtOnce { get; init; }
}

/// <summary>How a round of repair stands.</summary>
[GenerateSerializer, Immutable, Alias("zs.repair-round")]
public sealed record RepairRound
{
    [Id(0)] public required long ShardsRestored { get; init; }

    [Id(1)] public required long BytesRestored { get; init; }

    /// <summary>Shards still to restore, about: as digests tell.</summary>
    [Id(2)] public required long ShardsToDo { get; init; }

    /// <summary>Their bytes, as if each were as large as those that were restored so far; null until there are
    /// some.</summary>
    [Id(3)] public required long? BytesToDo { get; init; }

    /// <summary>Shard bytes restored a second, over the last seconds.</summary>
    [Id(4)] public required double BytesPerSecond { get; init; }

    /// <summary>How long the rest takes at that rate; null while nothing can be told yet.</summary>
    [Id(5)] public required TimeSpan? TimeLeft { get; init; }
}

/// <summary>How many stripes have how many of their shards.</summary>
[GenerateSerializer, Immutable, Alias("zs.ledger")]
public sealed record Ledger
{
    [Id(0)] public required long Stripes { get; init; }

    [Id(1)] public required long Whole { get; init; }

    /// <summary>Stripes by the number of their missing shards.</summary>
    [Id(2)] public required ImmutableSortedDictionary<int, long> ByMissing { get; init; }

    /// <summary>The same for each class, by its number.</summary>
    [Id(3)] public ImmutableArray<ClassLedger> Classes { get; init; } = [];

    /// <summary>The tick at which the last census began that met all disks; null when there was none.</summary>
    [Id(4)] public Tick? Census { get; init; }

    /// <summary>Stripes of live contents that this census found nobody to hold enough of.</summary>
    [Id(5)] public long Lost { get; init; }

    /// <summary>Whether every stripe has all its shards, none is lost, and that was compared with the catalog
    /// within the time that a census may take.</summary>
    [Id(6)] public bool IsGreen { get; init; }

    /// <summary>The stripes that lack shards, by vault and code; those that can lose the fewest more first.
    /// </summary>
    [Id(7)] public ImmutableArray<VaultLedger> Vaults { get; init; } = [];
}

/// <summary>The stripes of one vault and code that lack shards.</summary>
[GenerateSerializer, Immutable, Alias("zs.vault-ledger")]
public sealed record VaultLedger
{
    /// <summary>The vault's name, or its id where no vault has it; empty for stripes that no catalog row tells a
    /// vault of: what nobody committed in time, or all while the catalog does not answer.</summary>
    [Id(0)] public required string Vault { get; init; }

    [Id(1)] public required Code Code { get; init; }

    /// <summary>Stripes by the number of their missing shards, which is above 0.</summary>
    [Id(2)] public required ImmutableSortedDictionary<int, long> ByMissing { get; init; }

    /// <summary>Shards that its stripe with the fewest can lose more; below 0 where one has fewer than k.
    /// </summary>
    public int Spare => Code.M - ByMissing.Keys.Max();

    /// <summary>Its stripes that can lose one shard more at most.</summary>
    public long AtRisk => ByMissing.Where(m => IsAtRisk(m.Key)).Sum(m => m.Value);

    /// <summary>Whether a stripe without so many shards can lose one more at most.</summary>
    public bool IsAtRisk(int missing) => Code.M - missing <= 1;
}

/// <summary>The ledger of one class.</summary>
[GenerateSerializer, Immutable, Alias("zs.class-ledger")]
public sealed record ClassLedger
{
    [Id(0)] public required ClassId Class { get; init; }

    [Id(1)] public required Code Code { get; init; }

    [Id(2)] public required Spread Spread { get; init; }

    [Id(3)] public required long Stripes { get; init; }

    [Id(4)] public required long Whole { get; init; }

    [Id(5)] public required ImmutableSortedDictionary<int, long> ByMissing { get; init; }
}

/// <summary>How the census that runs, or the last one, stands.</summary>
[GenerateSerializer, Immutable, Alias("zs.census-progress")]
public sealed record CensusProgress
{
    [Id(0)] public required bool IsRunning { get; init; }

    /// <summary>Censuses that ended since the scheduler woke.</summary>
    [Id(1)] public required long Ended { get; init; }

    [Id(2)] public required long Versions { get; init; }

    [Id(3)] public required long Stripes { get; init; }

    /// <summary>Stripes that some home lacked.</summary>
    [Id(4)] public required long Lacking { get; init; }

    [Id(5)] public required long ShardsRestored { get; init; }

    /// <summary>Stripes of live contents that nobody holds enough of.</summary>
    [Id(6)] public required long Lost { get; init; }

    /// <summary>Shards dropped that nothing names.</summary>
    [Id(7)] public required long GarbageShards { get; init; }

    /// <summary>Shards dropped that lay where they have no place.</summary>
    [Id(8)] public required long SurplusShards { get; init; }

    /// <summary>Versions whose manifest is damaged.</summary>
    [Id(9)] public required long Unreadable { get; init; }

    /// <summary>Whether no disk was absent: else nothing is called lost, and the census does not count.
    /// </summary>
    [Id(10)] public required bool MetAllDisks { get; init; }

    /// <summary>Objects with lost stripes, <c>vault/key</c>; the first hundred.</summary>
    [Id(11)] public required ImmutableArray<string> LostObjects { get; init; }
}

/// <summary>What to do about a catalog that went back.</summary>
public enum AdoptStep
{
    /// <summary>Nothing: only tell how it stands.</summary>
    None = 0,

    /// <summary>List what disks hold and the catalog lacks.</summary>
    Look = 1,

    /// <summary>Enter what was found, and take the catalog for the right one from then on.</summary>
    Adopt = 2,
}

/// <summary>How the adoption of a catalog stands.</summary>
[GenerateSerializer, Immutable, Alias("zs.adopt-progress")]
public sealed record AdoptProgress
{
    /// <summary>Found versions that are told one by one.</summary>
    public const int MaxTold = 1000;

    [Id(0)] public required bool IsRunning { get; init; }

    /// <summary>The tick that the catalog went back to; null while it did not, or when it is adopted.</summary>
    [Id(1)] public required Tick? WentBack { get; init; }

    /// <summary>Versions found on disks.</summary>
    [Id(2)] public required long Found { get; init; }

    /// <summary>Of them, those entered into the catalog.</summary>
    [Id(3)] public required long Entered { get; init; }

    /// <summary>The first of them.</summary>
    [Id(4)] public required ImmutableArray<FoundVersion> Versions { get; init; }

    /// <summary>Why the last run ended early; null when it did not.</summary>
    [Id(5)] public string? Failure { get; init; }

    /// <summary>Runs that ended since the scheduler woke.</summary>
    [Id(6)] public required long Ended { get; init; }
}

/// <summary>A version that disks hold and the catalog lacks.</summary>
[GenerateSerializer, Immutable, Alias("zs.found-version")]
public sealed record FoundVersion
{
    [Id(0)] public required string Vault { get; init; }

    /// <summary>Its key; empty where that cannot be told.</summary>
    [Id(1)] public required string Key { get; init; }

    [Id(2)] public required long Size { get; init; }

    [Id(3)] public required DateTimeOffset Modified { get; init; }

    /// <summary>The tick in which it was put.</summary>
    [Id(4)] public required Tick Put { get; init; }

    /// <summary>The key under which it is entered: another than its own where a newer version has that.
    /// </summary>
    [Id(5)] public required string EnteredAs { get; init; }

    /// <summary>Why it cannot be entered; empty where it can.</summary>
    [Id(6)] public string Refusal { get; init; } = "";
}
