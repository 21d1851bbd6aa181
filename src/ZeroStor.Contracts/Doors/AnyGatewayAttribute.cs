using Orleans.CodeGeneration;

namespace ZeroStor.Contracts.Doors;

/// <summary>Calls of clients to this method go through their gateways in turn, not always through the one that the
/// grain's id picks: so a call that is made again because it had no answer does not go through the same gateway,
/// which may be what hangs. Calls have no order then, and none of the doors needs one.</summary>
[InvokableCustomInitializer("AddInvokeMethodOptions", InvokeMethodOptions.Unordered)]
[AttributeUsage(AttributeTargets.Method)]
public sealed class AnyGatewayAttribute : Attribute;
