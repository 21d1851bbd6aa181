using System.Net.Sockets;

namespace ZeroStor.Grains;

/// <summary>Refuses to start a second silo under the name of one that lives: disks and routes are known by the
/// silo's name, and two of one name would each answer for the other's. It runs when this silo stands in the table
/// of members, so of two that start together at least the later one sees the other; no disk is open yet. A silo
/// that died without a word may stand in the table as living for some seconds: nobody listens where it was, so it
/// keeps no one of its name out.</summary>
internal sealed class SiloNameCheck(IMembershipTable table, ILocalSiloDetails self, TimeProvider time)
    : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Before <see cref="DiskHost"/> opens disks.</summary>
    private const int Stage = ServiceLifecycleStage.ApplicationServices - 1;

    /// <summary>A machine that lives takes a connection far sooner, also a process that hangs.</summary>
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(2);

    public void Participate(ISiloLifecycle observer) =>
        observer.Subscribe(nameof(SiloNameCheck), Stage, CheckAsync);

    private async Task CheckAsync(CancellationToken cancel)
    {
        MembershipTableData members = await table.ReadAllAsync(cancel);
        foreach ((MembershipEntry other, _) in members.Members)
        {
            if (other.SiloName == self.Name && GoesFirst(other) && await ListensAsync(other.SiloAddress, cancel))
            {
                throw new ZeroStorException(
                    ErrorKind.AlreadyExists,
                    $"silo {self.Name} runs already, at {other.SiloAddress.Endpoint}: give this one another --name");
            }
        }
    }

    private bool GoesFirst(MembershipEntry other) =>
        !other.SiloAddress.Equals(self.SiloAddress)
        && (other.Status == SiloStatus.Active || (other.Status == SiloStatus.Joining
            && (other.SiloAddress.Generation, other.SiloAddress.GetConsistentHashCode())
                .CompareTo((self.SiloAddress.Generation, self.SiloAddress.GetConsistentHashCode())) < 0));

    private async Task<bool> ListensAsync(SiloAddress silo, CancellationToken cancel)
    {
        // What is there at this silo's own address is this silo.
        if (silo.Endpoint.Equals(self.SiloAddress.Endpoint))
        {
            return false;
        }

        using var bound = new CancellationTokenSource(ConnectPatience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, bound.Token);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(silo.Endpoint, both.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            cancel.ThrowIfCancellationRequested();
            return false;
        }
    }
}
