using Orleans.Storage;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Sealing;

namespace ZeroStor.Grains;

/// <summary>What belongs to one life of a vault, as it is stored. Property names are the stored
/// format.</summary>
[GenerateSerializer, Alias("zs.vault-life")]
public sealed class VaultLife
{
    [Id(0)] public string Id { get; set; } = "";

    [Id(1)] public string Code { get; set; } = "";

    [Id(2)] public Spread Spread { get; set; }

    [Id(3)] public int WriteFloor { get; set; }

    [Id(4)] public uint Class { get; set; }

    [Id(5)] public byte[] KeyRing { get; set; } = [];

    [Id(6)] public Compression Compression { get; set; }
}

/// <summary>All that is stored behind a vault's name: the life that the catalog's index names, and such as a
/// crash or a lost race left.</summary>
[GenerateSerializer, Alias("zs.vault-state")]
public sealed class VaultState
{
    [Id(0)] public List<VaultLife> Lives { get; set; } = [];
}

/// <summary>A vault: its policy and its key ring. The index of names in the catalog decides which life of a
/// name is the vault; the state holds what belongs to that life. The state is written first, beside lives
/// that may be there, and the name entered after: whoever enters the name finds its life in the state,
/// whatever another activation or a crash did between.</summary>
internal sealed class VaultGrain(
    [PersistentState("vault", ZeroStorSilo.StorageName)] IPersistentState<VaultState> state,
    ICatalog catalog,
    IFabricMap map,
    FabricKey master,
    IEntropy entropy,
    ZeroStorOptions options,
    VaultDirectory directory,
    SiloWatch silos,
    IGrainFactory grains,
    TimeProvider time) : Grain, IVaultDoor, IVaultGrain
{
    /// <summary>Versions deleted, and uploads ended, in one step of removing a full vault.</summary>
    private const int VersionsPerStep = 500;

    /// <summary>Lives kept in the state: one is the vault, the others are creates that may still be under
    /// way.
    /// </summary>
    private const int MaxLives = 8;

    private string Name => this.GetPrimaryKeyString();

    public async Task<VaultInfo> CreateAsync(VaultSpec spec, CancellationToken cancel)
    {
        VaultName.Check(Name);
        if (await catalog.FindVaultAsync(Name, cancel) is not null)
        {
            throw Taken();
        }

        Code code = spec.Code ?? options.DefaultCode;
        int floor = spec.WriteFloor ?? code.DefaultWriteFloor;
        if (floor <= code.K || floor > code.N)
        {
            throw ZeroStorException.Invalid(
                $"a write floor of {floor} is not between k+1 and n of {code}: {code.K + 1} to {code.N} is");
        }

        Demand(spec.Compression);
        ClassId placement = await grains.GetGrain<IFabricGrain>(0).EnsureClassAsync(code, spec.Spread, cancel);
        (VaultId id, byte[] ring) = await MakeRingAsync(spec, cancel);
        var life = new VaultLife
        {
            Id = id.ToString(),
            Code = code.ToString(),
            Spread = spec.Spread,
            WriteFloor = floor,
            Class = placement.Value,
            KeyRing = ring,
            Compression = spec.Compression,
        };
        state.State.Lives = [.. state.State.Lives.TakeLast(MaxLives - 1), life];
        await state.WriteStateAsync(cancel);
        var entry = new VaultEntry(Name, id, placement)
        {
            Versioning = spec.Versioning, Created = time.GetUtcNow(),
        };
        if (!await catalog.AddVaultAsync(entry, cancel))
        {
            throw Taken();
        }

        directory.Forget(Name);
        return Info(life, entry);
    }

    public async Task<VaultInfo> DescribeAsync(CancellationToken cancel)
    {
        (VaultLife life, VaultEntry entry) = await LoadEntryAsync(cancel);
        return Info(life, entry);
    }

    public async Task<VaultInfo> SetVersioningAsync(Versioning versioning, CancellationToken cancel)
    {
        (VaultLife life, VaultEntry entry) = await LoadEntryAsync(cancel);
        if (!Enum.IsDefined(versioning))
        {
            throw ZeroStorException.Invalid($"{(int)versioning} is no versioning: off, on and suspended are");
        }

        if (!await catalog.SetVersioningAsync(entry.Id, versioning, cancel))
        {
            throw versioning == Versioning.Off
                ? new ZeroStorException(
                    ErrorKind.PreconditionFailed,
                    $"vault {Name} may have kept versions, so versioning cannot be off any more: suspend it")
                : ZeroStorException.NotFound($"vault {Name} was removed meanwhile");
        }

        directory.Forget(Name);
        return Info(life, entry with { Versioning = versioning });
    }

    public async Task<VaultInfo> SetCompressionAsync(Compression compression, CancellationToken cancel)
    {
        Demand(compression);

        // Another activation may have changed it.
        await state.ReadStateAsync(cancel);
        (VaultLife life, VaultEntry entry) = await LoadEntryAsync(cancel);
        if (life.Compression != compression)
        {
            await StoreAsync(life, life.KeyRing, compression, cancel);
        }

        directory.Forget(Name);
        return Info(life, entry);
    }

    public async Task<VaultSettings?> ReadSettingsAsync(string name, CancellationToken cancel) =>
        await catalog.ReadSettingsAsync((await LoadEntryAsync(cancel)).Entry.Id, name, cancel);

    public async Task<VaultSettings?> WriteSettingsAsync(
        string name, string? was, byte[]? bytes, CancellationToken cancel)
    {
        VaultId id = (await LoadEntryAsync(cancel)).Entry.Id;
        VaultSettings? stands = await catalog.WriteSettingsAsync(id, name, was, bytes, cancel);
        bool isDone = bytes is null ? stands is null : stands?.ETag == VaultSettings.Of(bytes).ETag;
        return isDone
            ? stands
            : throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"the settings {name} of vault {Name} were changed meanwhile: read them again");
    }

    public async Task<VaultSecrets> OpenAsync(CancellationToken cancel)
    {
        (VaultLife life, VaultEntry entry) = await LoadEntryAsync(cancel);
        return Secrets(life, entry);
    }

    public async Task<VaultSecrets> BeginEpochAsync(uint seen, CancellationToken cancel)
    {
        (VaultLife life, VaultEntry entry) = await LoadEntryAsync(cancel);
        if (RingOf(life).Epochs[^1].Number > seen)
        {
            // Another silo was quicker.
            return Secrets(life, entry);
        }

        return Secrets(
            await ChangeRingAsync((ring, keys) => (ring.WithNextEpoch(keys, map.Tick, entropy), keys), cancel), entry);
    }

    public async Task<bool> HoldUnderStandingAsync(CancellationToken cancel)
    {
        VaultLife life = await LoadAsync(cancel);
        string standing = (await master.StandingAsync(cancel)).Id;
        bool isDone = life.KeyRing.Length == 0
            || RingOf(life) is { Custody: Custody.Owner }
            || RingOf(life).Pairs.All(p => p.HeldBy == standing);
        if (!isDone)
        {
            await ChangeRingAsync((ring, keys) => (ring, keys), cancel);
        }

        return !isDone;
    }

    public async Task<VaultKeyRing> KeysAsync(CancellationToken cancel) => Describe(await LoadAsync(cancel));

    public async Task<VaultKeyRing> RotateAsync(string? suite, CancellationToken cancel)
    {
        VaultLife life = await ChangeRingAsync(
            (ring, keys) =>
            {
                PrivateKeys next = keys.WithNext(suite, entropy);
                return (ring.WithNextPair(next, map.Tick, entropy), next);
            },
            cancel);
        directory.Forget(Name);
        return Describe(life);
    }

    public async Task<VaultKeyRing> RetireAsync(uint generation, CancellationToken cancel) =>
        Describe(await ChangeRingAsync((ring, keys) => (ring.WithoutPair(generation), keys), cancel));

    public async Task<byte[]> OwnRingAsync(CancellationToken cancel)
    {
        // Another activation may have changed it.
        await state.ReadStateAsync(cancel);
        VaultLife life = await LoadAsync(cancel);
        DemandOwn(RingOf(life));
        return life.KeyRing;
    }

    public async Task ChangeOwnRingAsync(byte[] was, byte[] ring, CancellationToken cancel)
    {
        await state.ReadStateAsync(cancel);
        VaultLife life = await LoadAsync(cancel);
        DemandOwn(RingOf(life));
        if (DemandOwn(KeyRing.Decode(ring)).Vault.ToString() != life.Id)
        {
            throw ZeroStorException.Invalid($"the key ring is of another vault than {Name}");
        }

        if (life.KeyRing.AsSpan().SequenceEqual(ring))
        {
            // A try whose answer was lost did it.
            return;
        }

        if (!life.KeyRing.AsSpan().SequenceEqual(was))
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed, $"the keys of vault {Name} were changed meanwhile: read them again");
        }

        await StoreAsync(life, ring, life.Compression, cancel);
    }

    public async Task RemoveAsync(bool withContent, CancellationToken cancel)
    {
        VaultId id = (await LoadEntryAsync(cancel)).Entry.Id;
        while (!await catalog.RemoveVaultAsync(id, cancel))
        {
            if (!withContent)
            {
                throw new ZeroStorException(
                    ErrorKind.PreconditionFailed,
                    $"vault {Name} holds objects, or uploads under way: remove them first, or say --force to lose "
                    + "them");
            }

            await DeleteSomeAsync(id, cancel);
        }

        directory.Forget(Name);
        await state.ClearStateAsync(cancel);
    }

    private async Task<(VaultId Id, byte[] Ring)> MakeRingAsync(VaultSpec spec, CancellationToken cancel)
    {
        if (spec.OwnRing is { } own)
        {
            KeyRing given = DemandOwn(KeyRing.Decode(own));
            return (given.Vault, own);
        }

        VaultId id = VaultId.New(entropy);
        using PrivateKeys keys = PrivateKeys.Generate(id, spec.Suite, entropy);
        KeyRing ring = KeyRing.Create(keys, Custody.Fabric, map.Tick, entropy);
        IMasterKey holder = await master.StandingAsync(cancel);
        return (id, (await ring.HeldByAsync(holder, keys, entropy, cancel)).Encode());
    }

    private KeyRing DemandOwn(KeyRing ring) =>
        ring.Custody == Custody.Owner && ring.Pairs.All(p => p.Held.IsEmpty)
            ? ring
            : throw new ZeroStorException(
                ErrorKind.PreconditionFailed, $"the fabric keeps the private keys of vault {Name}, not an owner");

    private static void DemandFabrics(KeyRing ring, string name)
    {
        if (ring.Custody == Custody.Owner)
        {
            throw new ZeroStorException(
                ErrorKind.Forbidden, $"the private keys of vault {name} are with its owner, who alone can change them");
        }
    }

    // Changes the ring by compare-and-set: the state is written only over the one that was read, whatever another
    // activation does meanwhile.
    private async Task<VaultLife> ChangeRingAsync(
        Func<KeyRing, PrivateKeys, (KeyRing Ring, PrivateKeys Keys)> change, CancellationToken cancel)
    {
        await state.ReadStateAsync(cancel);
        VaultLife life = await LoadAsync(cancel);
        KeyRing ring = RingOf(life);
        DemandFabrics(ring, Name);
        PrivateKeys keys = await ring.OpenAsync(master.Find(ring.Pairs[^1].HeldBy), cancel);
        try
        {
            (KeyRing changed, keys) = change(ring, keys);
            IMasterKey holder = await master.StandingAsync(cancel);
            byte[] held = (await changed.HeldByAsync(holder, keys, entropy, cancel)).Encode();
            await StoreAsync(life, held, life.Compression, cancel);
            return life;
        }
        finally
        {
            keys.Dispose();
        }
    }

    private static void Demand(Compression compression)
    {
        if (!Enum.IsDefined(compression))
        {
            throw ZeroStorException.Invalid($"{(int)compression} is no compression: auto and off are");
        }
    }

    private async Task StoreAsync(VaultLife life, byte[] ring, Compression compression, CancellationToken cancel)
    {
        (byte[] Ring, Compression Compression) old = (life.KeyRing, life.Compression);
        (life.KeyRing, life.Compression) = (ring, compression);
        bool isStored = false;
        try
        {
            await state.WriteStateAsync(cancel);
            isStored = true;
        }
        catch (InconsistentStateException e)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable, $"vault {Name} was changed by another silo meanwhile: try again", e);
        }
        finally
        {
            if (!isStored)
            {
                (life.KeyRing, life.Compression) = old;
            }
        }
    }

    public async Task ShredAsync(CancellationToken cancel)
    {
        await state.ReadStateAsync(cancel);
        VaultLife life = await LoadAsync(cancel);
        if (life.KeyRing.Length > 0)
        {
            await StoreAsync(life, [], life.Compression, cancel);
        }

        directory.Forget(Name);
        await Task.WhenAll(silos.There.Select(silo => SiloSurvey.WithinPatienceAsync<object>(
            async () =>
            {
                await grains.GetGrain<ISiloGrain>(silo).ForgetVaultAsync(Name, cancel);
                return silo;
            },
            cancel)));
        await RemoveAsync(withContent: true, cancel);
    }

    private async Task DeleteSomeAsync(VaultId id, CancellationToken cancel)
    {
        VersionListing page = await catalog.ListVersionsAsync(
            new VersionQuery { Vault = id, Max = VersionsPerStep }, cancel);
        await Task.WhenAll(page.Versions.Select(version => catalog.CommitAsync(
            new CommitOrder
            {
                Kind = CommitKind.Delete,
                Vault = id,
                Key = version.Row.Key,
                Version = version.Row.Version,
                Content = ContentId.New(map.Tick, entropy),
                Now = map.Tick,
                Modified = time.GetUtcNow(),
            },
            cancel)));
        UploadListing uploads = await catalog.ListUploadsAsync(
            new UploadQuery { Vault = id, Max = VersionsPerStep }, cancel);
        await Task.WhenAll(uploads.Uploads.Select(u => catalog.EndUploadAsync(u.Name, map.Tick, cancel)));
    }

    // The name's line in the index says which life is meant; a state without it is stale here.
    private async Task<VaultLife> LoadAsync(CancellationToken cancel) => (await LoadEntryAsync(cancel)).Life;

    private async Task<(VaultLife Life, VaultEntry Entry)> LoadEntryAsync(CancellationToken cancel)
    {
        VaultEntry entry = await catalog.FindVaultAsync(Name, cancel)
            ?? throw ZeroStorException.NotFound($"there is no vault {Name}: zs vault create {Name} makes it");
        if (Life(entry) is { } known)
        {
            return (known, entry);
        }

        await state.ReadStateAsync(cancel);
        return (Life(entry) ?? throw ZeroStorException.Corrupt(
            $"the catalog names life {entry.Id} of vault {Name}, and its stored state lacks it"), entry);
    }

    private VaultLife? Life(VaultEntry entry) =>
        state.State.Lives.FirstOrDefault(l => l.Id == entry.Id.ToString());

    private VaultSecrets Secrets(VaultLife life, VaultEntry entry) =>
        life.KeyRing.Length == 0 ? throw Shredded() : new VaultSecrets
        {
            Info = Info(life, entry),
            Class = new ClassId(life.Class),
            KeyRing = life.KeyRing,
        };

    private KeyRing RingOf(VaultLife life) =>
        life.KeyRing.Length == 0 ? throw Shredded() : KeyRing.Decode(life.KeyRing);

    private ZeroStorException Shredded() => ZeroStorException.NotFound(
        $"vault {Name} was shredded: its keys are gone, and zs vault shred {Name} or zs vault rm {Name} --force removes "
        + "what is left");

    private VaultKeyRing Describe(VaultLife life)
    {
        KeyRing ring = RingOf(life);
        return new VaultKeyRing
        {
            Custody = ring.Custody.ToString().ToLowerInvariant(),
            Bytes = life.KeyRing.Length,
            Keys =
            [
                .. ring.Pairs.Select(p => new VaultKey
                {
                    Generation = p.Generation,
                    Suite = p.SuiteName,
                    Begun = p.Begun,
                    HeldBy = p.HeldBy,
                    Epochs = [.. ring.Epochs.Where(e => e.Generation == p.Generation).Select(e => e.Number)],
                }),
            ],
        };
    }

    private VaultInfo Info(VaultLife life, VaultEntry entry) => new()
    {
        Name = Name,
        Id = new VaultId(Id128.FromHex(life.Id)),
        Code = Code.Parse(life.Code),
        Spread = life.Spread,
        WriteFloor = life.WriteFloor,
        Partitions = options.ObjectPartitions,
        Custody = life.KeyRing.Length == 0 ? Custody.Fabric : KeyRing.Decode(life.KeyRing).Custody,
        Compression = life.Compression,
        Versioning = entry.Versioning,
        Created = entry.Created,
    };

    private ZeroStorException Taken() =>
        new(ErrorKind.AlreadyExists, $"vault {Name} exists already: choose another name");
}
