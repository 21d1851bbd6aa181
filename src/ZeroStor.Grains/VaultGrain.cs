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
    MasterKey master,
    IEntropy entropy,
    ZeroStorOptions options,
    VaultDirectory directory,
    IGrainFactory grains,
    TimeProvider time) : Grain, IVaultDoor, IVaultGrain
{
    /// <summary>Versions deleted in one step of removing a full vault.</summary>
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

        ClassId placement = await grains.GetGrain<IFabricGrain>(0).EnsureClassAsync(code, spec.Spread, cancel);
        VaultId id = VaultId.New(entropy);
        var life = new VaultLife
        {
            Id = id.ToString(),
            Code = code.ToString(),
            Spread = spec.Spread,
            WriteFloor = floor,
            Class = placement.Value,
            KeyRing = KeyRing.Create(master, id, map.Tick, entropy).Encode(),
        };
        state.State.Lives = [.. state.State.Lives.TakeLast(MaxLives - 1), life];
        await state.WriteStateAsync(cancel);
        if (!await catalog.AddVaultAsync(new VaultEntry(Name, id, placement), cancel))
        {
            throw Taken();
        }

        directory.Forget(Name);
        return Info(life);
    }

    public async Task<VaultInfo> DescribeAsync(CancellationToken cancel)
    {
        return Info(await LoadAsync(cancel));
    }

    public async Task<VaultSecrets> OpenAsync(CancellationToken cancel)
    {
        VaultLife life = await LoadAsync(cancel);
        return new VaultSecrets
        {
            Info = Info(life),
            Class = new ClassId(life.Class),
            KeyRing = life.KeyRing,
        };
    }

    public async Task RemoveAsync(bool withContent, CancellationToken cancel)
    {
        VaultId id = Info(await LoadAsync(cancel)).Id;
        while (!await catalog.RemoveVaultAsync(id, cancel))
        {
            if (!withContent)
            {
                throw new ZeroStorException(
                    ErrorKind.PreconditionFailed,
                    $"vault {Name} holds objects: remove them first, or say --force to lose them");
            }

            await DeleteSomeAsync(id, cancel);
        }

        directory.Forget(Name);
        await state.ClearStateAsync(cancel);
    }

    private async Task DeleteSomeAsync(VaultId id, CancellationToken cancel)
    {
        Listing page = await catalog.ListAsync(new ListQuery { Vault = id, Max = VersionsPerStep }, cancel);
        await Task.WhenAll(page.Versions.Select(version => catalog.CommitAsync(
            new CommitOrder
            {
                Kind = CommitKind.Delete,
                Vault = id,
                Key = version.Key,
                Content = ContentId.New(map.Tick, entropy),
                Now = map.Tick,
                Modified = time.GetUtcNow(),
            },
            cancel)));
    }

    // The name's line in the index says which life is meant; a state without it is stale here.
    private async Task<VaultLife> LoadAsync(CancellationToken cancel)
    {
        VaultEntry entry = await catalog.FindVaultAsync(Name, cancel)
            ?? throw ZeroStorException.NotFound($"there is no vault {Name}: zs vault create {Name} makes it");
        if (Life(entry) is { } known)
        {
            return known;
        }

        await state.ReadStateAsync(cancel);
        return Life(entry) ?? throw ZeroStorException.Corrupt(
            $"the catalog names life {entry.Id} of vault {Name}, and its stored state lacks it");
    }

    private VaultLife? Life(VaultEntry entry) =>
        state.State.Lives.FirstOrDefault(l => l.Id == entry.Id.ToString());

    private VaultInfo Info(VaultLife life) => new()
    {
        Name = Name,
        Id = new VaultId(Id128.FromHex(life.Id)),
        Code = Code.Parse(life.Code),
        Spread = life.Spread,
        WriteFloor = life.WriteFloor,
        Partitions = options.ObjectPartitions,
    };

    private ZeroStorException Taken() =>
        new(ErrorKind.AlreadyExists, $"vault {Name} exists already: choose another name");
}
