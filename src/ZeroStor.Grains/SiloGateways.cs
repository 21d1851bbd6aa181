using System.Collections.Immutable;
using System.Net;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Grains;

/// <summary>Where the gateways of the silos listen, as the table of members says, which is all that tells it. It is
/// read again when membership changed; nobody waits for that, and while it cannot be read, what was read last
/// serves. Thread-safe.</summary>
internal sealed class SiloGateways(
    IMembershipTable table, IClusterMembershipService membership, TimeProvider time)
{
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private MembershipVersion _readAt = MembershipVersion.MinValue;
    private Task _reading = Task.CompletedTask;
    private volatile IReadOnlyDictionary<SiloAddress, int> _ports = new Dictionary<SiloAddress, int>();

    /// <summary>Of the silos that are active, and known to have one.</summary>
    public ImmutableArray<SiloGateway> Current
    {
        get
        {
            ClusterMembershipSnapshot members = membership.CurrentSnapshot;
            ReadAgain(members.Version);
            IReadOnlyDictionary<SiloAddress, int> ports = _ports;
            return
            [
                .. members.Members.Values
                    .Where(m => m.Status == Orleans.Runtime.SiloStatus.Active && ports.GetValueOrDefault(m.SiloAddress) > 0)
                    .Select(m => new SiloGateway(
                        m.Name,
                        new IPEndPoint(m.SiloAddress.Endpoint.Address, ports[m.SiloAddress]).ToString())),
            ];
        }
    }

    private void ReadAgain(MembershipVersion version)
    {
        lock (_lock)
        {
            if (_readAt < version && _reading.IsCompleted)
            {
                _reading = Task.Run(() => ReadAsync(version));
            }
        }
    }

    private async Task ReadAsync(MembershipVersion version)
    {
        using var bound = new CancellationTokenSource(ReadPatience, time);
        try
        {
            MembershipTableData members = await table.ReadAllAsync(bound.Token).WaitAsync(bound.Token);
            _ports = members.Members.Select(m => m.Item1)
                .DistinctBy(m => m.SiloAddress)
                .ToDictionary(m => m.SiloAddress, m => m.ProxyPort);
            lock (_lock)
            {
                _readAt = version;
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The table is away, however that is said: who asks next begins anew.
        }
    }
}
