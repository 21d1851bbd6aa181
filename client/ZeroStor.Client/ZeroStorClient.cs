using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Client;

/// <summary>A fabric, as front ends use it: its vaults and its state. From dependency injection
/// (<see cref="ZeroStorClientExtensions"/>) it lives as long as the host; made by <see cref="ConnectAsync"/>
/// it has a connection of its own, which disposing closes. All failures are <see cref="ZeroStorException"/>.
/// Thread-safe.</summary>
public sealed class ZeroStorClient : IAsyncDisposable
{
    /// <summary>Removing a vault with all it holds may take this long before it is asked for again: as long
    /// as its door says.</summary>
    private static readonly TimeSpan RemoveTimeout = TimeSpan.FromMinutes(5);

    /// <summary>What is ordered of a disk may take as long as the fabric's door says: opening one replays it.
    /// </summary>
    private static readonly TimeSpan OrderTimeout =
        TimeSpan.Parse(FabricDoor.OrderTimeout, CultureInfo.InvariantCulture);

    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly Fabric _fabric;
    private readonly ServiceProvider? _services;

    internal ZeroStorClient(Fabric fabric, ServiceProvider? services = null) =>
        (_fabric, _services) = (fabric, services);

    /// <summary>Connects to a fabric, without a host; without a gateway to
    /// <c>127.0.0.1:</c><see cref="ZeroStorClientOptions.DefaultGatewayPort"/>.</summary>
    /// <exception cref="ZeroStorException">Unavailable: no gateway answered within
    /// <see cref="ZeroStorClientOptions.ConnectPatience"/>; InvalidArgument: not a gateway.</exception>
    public static async Task<ZeroStorClient> ConnectAsync(
        Action<ZeroStorClientOptions>? configure = null, CancellationToken cancel = default)
    {
        ZeroStorClientOptions? used = null;
        var collection = new ServiceCollection();
        collection.AddLogging();
        collection.AddZeroStorClient(options =>
        {
            used = options;
            configure?.Invoke(options);
            if (options.Gateways.Count == 0)
            {
                options.Gateways.Add($"127.0.0.1:{ZeroStorClientOptions.DefaultGatewayPort}");
            }
        });
        ServiceProvider services = collection.BuildServiceProvider();
        using var bound = new CancellationTokenSource(used!.ConnectPatience);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, bound.Token);
        try
        {
            foreach (IHostedService service in services.GetServices<IHostedService>())
            {
                await service.StartAsync(both.Token).WaitAsync(both.Token);
            }

            return new ZeroStorClient(services.GetRequiredService<ZeroStorClient>()._fabric, services);
        }
        catch (Exception failure)
        {
            // Not awaited: a connection that hangs must not keep the caller beyond its patience.
            _ = services.DisposeAsync().AsTask();
            cancel.ThrowIfCancellationRequested();
            throw new ZeroStorException(
                ErrorKind.Unavailable,
                $"No silo of cluster '{used.ClusterId}' answered at {string.Join(", ", used.Gateways)} within "
                + $"{used.ConnectPatience.TotalSeconds:0.#} s: is one running there, or has it too much to do?",
                failure);
        }
    }

    /// <summary>A vault by its name. Asks nothing: whether it is there shows at its first use.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: not a name.</exception>
    public Vault Vault(string name) => new(_fabric, name);

    /// <summary>The access keys by which front ends know their users.</summary>
    public AccessKeys AccessKeys => field ??= new AccessKeys(_fabric);

    /// <summary>Makes a vault.</summary>
    /// <exception cref="ZeroStorException">AlreadyExists; InvalidArgument: not a name, or a code, spread and
    /// write floor that contradict each other; PolicyUnsatisfiable: the disks cannot hold it.</exception>
    public async Task<VaultInfo> CreateVaultAsync(
        string name, VaultSpec? spec = null, CancellationToken cancel = default)
    {
        IVaultDoor door = _fabric.Doors.Vault(VaultName.Check(name));
        spec ??= new VaultSpec();
        int tries = 0;
        try
        {
            return await _fabric.RepeatAsync(
                $"making vault '{name}'",
                token =>
                {
                    tries++;
                    return door.CreateAsync(spec, token);
                },
                cancel);
        }
        catch (ZeroStorException failure) when (failure.Kind == ErrorKind.AlreadyExists && tries > 1)
        {
            // A try whose answer was lost may have made it: then it is what was asked for.
            VaultInfo made = await Vault(name).DescribeAsync(cancel);
            bool isAsked = made.Spread == spec.Spread
                && made.Versioning == spec.Versioning
                && made.Compression == spec.Compression
                && (spec.OwnRing is null
                    ? made.Custody == Custody.Fabric
                    : made.Id == KeyRing.Decode(spec.OwnRing).Vault)
                && (spec.Code is null || spec.Code == made.Code)
                && (spec.WriteFloor is null || spec.WriteFloor == made.WriteFloor);
            if (isAsked)
            {
                return made;
            }

            throw;
        }
    }

    /// <summary>Makes a vault whose owner keeps the keys: this client seals and opens, and the fabric sees sealed bytes.
    /// Keep <paramref name="keys"/> before it is called (<see cref="OwnerKeyFile.Create"/>): what is put without a copy of
    /// them that lasts is lost.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="keys">Fresh ones, which name the vault's id.</param>
    /// <param name="spec">What else it shall be.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="ZeroStorException">As <see cref="CreateVaultAsync"/>.</exception>
    public async Task<VaultInfo> CreateOwnedVaultAsync(
        string name, PrivateKeys keys, VaultSpec? spec = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        Tick now = (await _fabric.NewContentIdAsync(cancel)).Begun;
        KeyRing ring = KeyRing.Create(keys, Custody.Owner, now, _fabric.Entropy);
        return await CreateVaultAsync(name, (spec ?? new VaultSpec()) with { OwnRing = ring.Encode() }, cancel);
    }

    /// <summary>Puts the next master key, which all silos were given, in the place of the fabric's: the private keys of
    /// vaults are wrapped anew, and nothing else.</summary>
    /// <exception cref="ZeroStorException">PreconditionFailed: some silo has no next master key, or another one.
    /// </exception>
    public Task<MasterRotated> RotateMasterKeyAsync(CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            "rotating the master key", _fabric.Doors.Fabric.RotateMasterKeyAsync, cancel, OrderTimeout);

    /// <summary>All vaults, by name.</summary>
    public Task<ImmutableArray<VaultInfo>> ListVaultsAsync(CancellationToken cancel = default) =>
        _fabric.RepeatAsync("listing the vaults", _fabric.Doors.Fabric.ListVaultsAsync, cancel);

    /// <summary>Removes a vault; with <paramref name="withContent"/> all it holds first.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it holds objects.</exception>
    public Task RemoveVaultAsync(
        string name, bool withContent = false, CancellationToken cancel = default) =>
        EndVaultAsync(
            name, $"removing vault '{name}'", (door, token) => door.RemoveAsync(withContent, token), cancel);

    /// <summary>Destroys a vault's keys, and removes it with all it holds: from then on nothing of it opens, but with a
    /// backup of the catalog from before and the master key, or the key file of an owner who keeps the keys: delete that,
    /// too.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public Task ShredVaultAsync(string name, CancellationToken cancel = default) =>
        EndVaultAsync(name, $"shredding vault '{name}'", (door, token) => door.ShredAsync(token), cancel);

    private async Task EndVaultAsync(
        string name, string doing, Func<IVaultDoor, CancellationToken, Task> end, CancellationToken cancel)
    {
        IVaultDoor door = _fabric.Doors.Vault(VaultName.Check(name));
        Patience patience = _fabric.NewPatience();
        for (bool isRepeated = false; ; isRepeated = true)
        {
            try
            {
                await _fabric.OnceAsync<object?>(
                    doing,
                    async token =>
                    {
                        await end(door, token);
                        return null;
                    },
                    cancel,
                    RemoveTimeout);
                break;
            }
            catch (ZeroStorException failure) when (failure.Kind == ErrorKind.NotFound && isRepeated)
            {
                // A try whose answer was lost did it.
                break;
            }
            catch (ZeroStorException failure) when (failure.IsTransient)
            {
                if (!await patience.WaitAsync(cancel))
                {
                    throw;
                }
            }
        }

        _fabric.ForgetVault(name);
        _fabric.Owned.Forget(name);
    }

    /// <summary>Silos, disks, the ledger of stripes, counters, and what an operator should know.</summary>
    public Task<FabricStatus> StatusAsync(CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            "asking for the fabric's status", _fabric.Doors.Fabric.StatusAsync, cancel, Fabric.SurveyTimeout);

    /// <summary>How repair stands.</summary>
    /// <param name="hurry">Begins a round at once, without a limit on its rate.</param>
    /// <param name="cancel">Gives up asking; repair goes on.</param>
    public Task<RepairProgress> RepairAsync(bool hurry = false, CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            "asking how repair stands", token => _fabric.Doors.Fabric.RepairAsync(hurry, token), cancel);

    /// <summary>How the census stands, which compares disks with the catalog both ways.</summary>
    /// <param name="begin">Takes one at once, without pause; one that runs is hurried, and another follows.
    /// </param>
    /// <param name="cancel">Gives up asking; the census goes on.</param>
    public Task<CensusProgress> CensusAsync(bool begin = false, CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            "asking how the census stands", token => _fabric.Doors.Fabric.CensusAsync(begin, token), cancel);

    /// <summary>How the adoption of a catalog that went back stands.</summary>
    /// <param name="step">What to begin, unless it runs.</param>
    /// <param name="cancel">Gives up asking; what was begun goes on.</param>
    /// <exception cref="ZeroStorException">PreconditionFailed: the catalog did not go back.</exception>
    public Task<AdoptProgress> AdoptAsync(AdoptStep step = AdoptStep.None, CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            "asking how the adoption stands",
            token => _fabric.Doors.Fabric.AdoptAsync(step, token),
            cancel,
            Fabric.SurveyTimeout);

    /// <summary>The disks of the fabric, without those that were removed.</summary>
    public Task<ImmutableArray<DiskStatus>> ListDisksAsync(CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            "listing the disks", _fabric.Doors.Fabric.ListDisksAsync, cancel, Fabric.SurveyTimeout);

    /// <summary>All that is known of a disk.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public Task<DiskDetails> ShowDiskAsync(DiskId disk, CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            $"asking for disk {disk}", token => _fabric.Doors.Fabric.ShowDiskAsync(disk, token), cancel);

    /// <summary>Makes an empty folder of a silo a disk, or takes in one that is a disk of this fabric. It
    /// gets the places of <see cref="AddDisk.Replaced"/>, or else those of lost disks that wait, and new
    /// groups. Asked once: where it ends with Unavailable, <see cref="ListDisksAsync"/> shows whether it
    /// happened.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: no path from the root, or which silo is not
    /// clear; NotFound: no such folder, silo or disk to replace; AlreadyExists: it is a disk that is open;
    /// PreconditionFailed: it is a removed disk's, or another fabric's; Corrupt: it holds something
    /// else.</exception>
    public Task<DiskAdded> AddDiskAsync(AddDisk add, CancellationToken cancel = default) =>
        _fabric.OnceAsync(
            $"adding the disk '{add.Path}'",
            token => _fabric.Doors.Fabric.AddDiskAsync(add, token),
            cancel,
            OrderTimeout);

    /// <summary>Takes a disk out of the fabric for good; its places go to others, its folder is left as it is
    /// and never taken in again. Asked once: where it ends with Unavailable, <see cref="ListDisksAsync"/>
    /// shows whether it happened.</summary>
    /// <param name="disk">Which.</param>
    /// <param name="leaveShort">Whether places that no other disk can take may wait for one to be
    /// added.</param>
    /// <param name="cancel">Gives up asking.</param>
    /// <exception cref="ZeroStorException">NotFound; PolicyUnsatisfiable: a group would have fewer than k
    /// whole places, or places would wait and <paramref name="leaveShort"/> is false.</exception>
    public Task<DiskRemoved> RemoveDiskAsync(
        DiskId disk, bool leaveShort = false, CancellationToken cancel = default) =>
        _fabric.OnceAsync(
            $"removing disk {disk}",
            token => _fabric.Doors.Fabric.RemoveDiskAsync(disk, leaveShort, token),
            cancel,
            OrderTimeout);

    /// <summary>Begins to empty a disk in order: its places go to others, which copy what it holds; meanwhile it
    /// serves on. <see cref="ResetDiskAsync"/> ends it. Asked again, it changes nothing.</summary>
    /// <returns>Places that others are to take.</returns>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it is not up; PolicyUnsatisfiable: no
    /// other disk can take some of its places.</exception>
    public Task<int> DrainDiskAsync(DiskId disk, CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            $"draining disk {disk}", token => _fabric.Doors.Fabric.DrainDiskAsync(disk, token), cancel);

    /// <summary>Opens again a disk that failed a write or is missing: what it holds counts again, and places
    /// whose newcomers are not whole return to it. One that is up stays as it is.</summary>
    /// <exception cref="ZeroStorException">NotFound; PreconditionFailed: it was removed; and whatever stands
    /// against opening it: DiskOffline, DiskFailed, Corrupt.</exception>
    public Task<DiskReset> ResetDiskAsync(DiskId disk, CancellationToken cancel = default) =>
        _fabric.OnceAsync(
            $"resetting disk {disk}",
            token => _fabric.Doors.Fabric.ResetDiskAsync(disk, token),
            cancel,
            OrderTimeout);

    /// <summary>Every silo that is there, that the fabric has disks of, or that membership remembers.</summary>
    public Task<ImmutableArray<SiloDetails>> ListSilosAsync(CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            "listing the silos", _fabric.Doors.Fabric.ListSilosAsync, cancel, Fabric.SurveyTimeout);

    /// <summary>Takes all disks of a silo out of the fabric for good, in one step, whether it is there or not; as
    /// <see cref="RemoveDiskAsync"/> for each. Asked once: where it ends with Unavailable,
    /// <see cref="ListSilosAsync"/> shows whether it happened.</summary>
    /// <param name="silo">Which.</param>
    /// <param name="leaveShort">Whether places that no other silo's disk can take may wait for one to be
    /// added.</param>
    /// <param name="cancel">Gives up asking.</param>
    /// <exception cref="ZeroStorException">NotFound: it has no disks; PolicyUnsatisfiable: a group would have fewer
    /// than k whole places, or places would wait and <paramref name="leaveShort"/> is false.</exception>
    public Task<SiloRemoved> RemoveSiloAsync(
        string silo, bool leaveShort = false, CancellationToken cancel = default) =>
        _fabric.OnceAsync(
            $"removing silo {silo}",
            token => _fabric.Doors.Fabric.RemoveSiloAsync(silo, leaveShort, token),
            cancel,
            OrderTimeout);

    /// <summary>Begins to empty all disks of a silo that are up, in one step; as <see cref="DrainDiskAsync"/> for
    /// each. Asked again, it changes nothing.</summary>
    /// <returns>Places that others are to take.</returns>
    /// <exception cref="ZeroStorException">NotFound: it has no disks; PreconditionFailed: it is away, or none of
    /// them is up; PolicyUnsatisfiable: no other disks can take all their places.</exception>
    public Task<int> DrainSiloAsync(string silo, CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            $"draining silo {silo}", token => _fabric.Doors.Fabric.DrainSiloAsync(silo, token), cancel);

    /// <summary>Begins to read all shards of these disks again at full speed, so that what is damaged is
    /// found, and repaired. It goes on in the silos whether anybody asks for it or not.</summary>
    /// <param name="disks">Which; null or none: all that can be read.</param>
    /// <param name="cancel">Gives up asking.</param>
    /// <returns>How it stands; <see cref="ScrubProgressAsync"/> takes it.</returns>
    /// <exception cref="ZeroStorException">NotFound: no such disk; DiskFailed: it is missing; Busy: too many
    /// are under way.</exception>
    public Task<ScrubProgress> BeginScrubAsync(
        IReadOnlyCollection<DiskId>? disks = null, CancellationToken cancel = default)
    {
        var order = new ScrubOrder { Name = Id128.Random(_fabric.Entropy), Disks = [.. disks ?? []] };
        return _fabric.RepeatAsync(
            "beginning a scrub", token => _fabric.Doors.Fabric.BeginScrubAsync(order, token), cancel);
    }

    /// <summary>How a scrub stands that was begun here.</summary>
    public Task<ScrubProgress> ScrubProgressAsync(ScrubProgress scrub, CancellationToken cancel = default) =>
        _fabric.RepeatAsync(
            "asking how the scrub stands",
            token => _fabric.Doors.Fabric.ScrubProgressAsync(scrub.Order, token),
            cancel);

    /// <summary>Closes the connection if it is this client's own.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            using var bound = new CancellationTokenSource(CloseTimeout);
            try
            {
                foreach (IHostedService service in _services.GetServices<IHostedService>())
                {
                    await service.StopAsync(bound.Token).WaitAsync(bound.Token);
                }

                await _services.DisposeAsync().AsTask().WaitAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                // A silo that hangs does not answer a goodbye either.
            }
        }
    }
}
