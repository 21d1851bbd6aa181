using ZeroStor.Contracts.Inner;

namespace ZeroStor.Grains;

/// <summary>Clients may knock at doors only. What silos ask of one another (disks, the map, repair, keys) is
/// refused to any caller that is a client.</summary>
internal sealed class DoorFilter : IIncomingGrainCallFilter
{
    private static readonly string InnerNamespace = typeof(IDiskGrain).Namespace!;

    public Task Invoke(IIncomingGrainCallContext context)
    {
        bool isInner = context.InterfaceMethod.DeclaringType?.Namespace == InnerNamespace;
        return isInner && context.SourceId is { } source && source.IsClient()
            ? throw new ZeroStorException(
                ErrorKind.Forbidden,
                $"{context.InterfaceMethod.DeclaringType!.Name} is for silos: clients use ZeroStor.Client")
            : context.Invoke();
    }
}
