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
    public IFabricDoor Fabric => grains.GetGrain<IFabricDoor>(0);

    public IAccessDoor Access => grains.GetGrain<IAccessDoor>(0);

    public IVaultDoor Vault(string name) => grains.GetGrain<IVaultDoor>(name);

    public IObjectDoor Objects(string grainKey) => grains.GetGrain<IObjectDoor>(grainKey);

    public IUploadDoor Uploads(string grainKey) => grains.GetGrain<IUploadDoor>(grainKey);

    public IVersionDoor Versions(string grainKey) => grains.GetGrain<IVersionDoor>(grainKey);

    public IStripeDoor Stripes(string coordinatorKey) => grains.GetGrain<IStripeDoor>(coordinatorKey);
}
