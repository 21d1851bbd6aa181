using System.Collections.Immutable;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

internal sealed partial class FakeFabric
{
    /// <summary>In the order of their making.</summary>
    public List<AccessKeyGrant> AccessKeys { get; } = [];

    IAccessDoor IDoors.Access => new Access(this);

    private sealed class Access(FakeFabric fabric) : IAccessDoor
    {
        public Task<AccessKeyGrant?> CreateAsync(AccessKeySpec spec, CancellationToken cancel) =>
            fabric.DoAsync<AccessKeyGrant?>("access", "create", cancel, () =>
            {
                if (spec.OnlyFirst && fabric.AccessKeys.Count > 0)
                {
                    return null;
                }

                var made = new AccessKeyGrant
                {
                    Key = new AccessKeyInfo
                    {
                        Id = $"ZS{fabric.AccessKeys.Count + 1}",
                        Rights = spec.Rights,
                        Vaults = spec.Vaults,
                        Created = DateTimeOffset.UnixEpoch,
                    },
                    Secret = new string('5', 64),
                };
                fabric.AccessKeys.Add(made);
                return made;
            });

        public Task<ImmutableArray<AccessKeyInfo>> ListAsync(CancellationToken cancel) =>
            fabric.DoAsync<ImmutableArray<AccessKeyInfo>>(
                "access", "list", cancel, () => [.. fabric.AccessKeys.Select(k => k.Key)]);

        public Task<AccessKeyGrant?> FindAsync(string id, CancellationToken cancel) =>
            fabric.DoAsync("access", "find", cancel, () => fabric.AccessKeys.Find(k => k.Key.Id == id));

        public Task<bool> RevokeAsync(string id, CancellationToken cancel) =>
            fabric.DoAsync("access", "revoke", cancel, () => fabric.AccessKeys.RemoveAll(k => k.Key.Id == id) > 0);
    }
}
