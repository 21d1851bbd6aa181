using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Client;

/// <summary>Where the SDK meets the fabric: the doors, by key. Orleans gives them; tests stand their own
/// fabric behind them.</summary>
internal interface IDoors
{
    IFabricDoor Fabric { get; }

    IAccessDoor Access { get; }

    IVaultDoor Vault(string name);

    IObjectDoor Objects(string grainKey);

    IUploadDoor Uploads(string grainKey);

    IVersionDoor Versions(string grainKey);

    IStripeDoor Stripes(string coordinatorKey);
}

internal sealed class OrleansDoors(IGrainFactory grains) : IDoors
{
    private readonly GrainReferences<IVaultDoor> _vaults = new(grains);
    private readonly GrainReferences<IObjectDoor> _objects = new(grains);
    private readonly GrainReferences<IUploadDoor> _uploads = new(grains);
    private readonly GrainReferences<IVersionDoor> _versions = new(grains);
    private readonly GrainReferences<IStripeDoor> _stripes = new(grains);

    public IFabricDoor Fabric => grains.GetGrain<IFabricDoor>(0);

    public IAccessDoor Access => grains.GetGrain<IAccessDoor>(0);

    public IVaultDoor Vault(string name) => _vaults.Of(name);

    public IObjectDoor Objects(string grainKey) => _objects.Of(grainKey);

    public IUploadDoor Uploads(string grainKey) => _uploads.Of(grainKey);

    public IVersionDoor Versions(string grainKey) => _versions.Of(grainKey);

    public IStripeDoor Stripes(string coordinatorKey) => _stripes.Of(coordinatorKey);
}
