using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>Clients may knock at doors only. What silos ask of one another (disks, the map, repair, keys) is
/// refused to any caller that is a client. A silo's own services call as a client, too, under a name that is
/// made of the silo's address; until callers prove who they are, that name is believed.</summary>
internal sealed class DoorFilter(IClusterMembershipService membership) : IIncomingGrainCallFilter
{
    /// <summary>What Orleans puts before a silo's address to name the client within it.</summary>
    private const string HostedClientPrefix = "hosted-";

    private static readonly string InnerNamespace = typeof(IDiskGrain).Namespace!;

    public Task Invoke(IIncomingGrainCallContext context)
    {
        bool isInner = context.InterfaceMethod.DeclaringType?.Namespace == InnerNamespace;
        return isInner && context.SourceId is { } source && source.IsClient() && !IsSilo(source)
            ? throw new ZeroStorException(
                ErrorKind.Forbidden,
                $"{context.InterfaceMethod.DeclaringType!.Name} is for silos: clients use ZeroStor.Client")
            : context.Invoke();
    }

    private bool IsSilo(GrainId source)
    {
        string name = source.Key.ToString()!;
        return membership.CurrentSnapshot.Members.Keys.Any(
            silo => name == HostedClientPrefix + silo.ToParsableString());
    }
}
